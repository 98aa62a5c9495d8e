"""Waiting: pauses that grow with each failure, and work that is not left while it is being done."""

import asyncio
import contextlib
from typing import TypeVar

Result = TypeVar("Result")

_BASE = 0.1
_MAX_DOUBLINGS = 32
"""Every useful limit is reached before this many; after about a thousand, the float would overflow."""


def backoff(failures: int, longest: float) -> float:
    """Return the seconds to wait after that many failures in a row: 0.2, 0.4, 0.8 …, at most ``longest``."""
    return min(longest, _BASE * 2.0 ** min(failures, _MAX_DOUBLINGS))


async def finished(work: asyncio.Future[Result]) -> Result:
    """Return the result of ``work``, which is always done when this returns or raises.

    Work that a thread does cannot be cancelled, and some tasks must not be: what they use has to stay until their end.

    Raises:
        CancelledError: the caller was cancelled meanwhile; the work's result is lost.
    """
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        while not work.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait([work])
        if not work.cancelled():
            work.exception()  # otherwise it is logged as never retrieved
        raise
