"""Trying again, with growing pauses, while the server or the way to it fails.

A run has one ``Patience``: whatever arrives anywhere renews it, so a long transfer over a bad line goes on for as long
as it gets anywhere, while one whose server is gone for good ends.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import httpx

from metastore.entrypoints.cli.transfer.failures import TransferError

Result = TypeVar("Result")

_FIRST_PAUSE = 0.25
_LONGEST_PAUSE = 10.0


class PassingError(Exception):
    """A fault that may pass; ``after`` is how many seconds the server asks to be left alone."""

    def __init__(self, reason: str, after: float = 0.0) -> None:
        super().__init__(reason)
        self.after = after


class Patience:
    """Gives up once ``seconds`` went by without any success; tells ``on_trouble`` why it waits."""

    def __init__(self, seconds: float, on_trouble: Callable[[str], None] | None = None) -> None:
        self._seconds = seconds
        self._on_trouble = on_trouble or (lambda _reason: None)
        self._last_success = time.monotonic()

    def renew(self) -> None:
        """Something arrived."""
        self._last_success = time.monotonic()

    async def during(self, attempt: Callable[[], Awaitable[Result]]) -> Result:
        """Call ``attempt`` until it raises no passing fault.

        Raises:
            TransferError: the faults did not pass; it names the last.
        """
        pause = _FIRST_PAUSE
        begun = time.monotonic()
        while True:
            try:
                result = await attempt()
            except (httpx.TransportError, PassingError) as error:
                wait = max(pause * random.uniform(0.5, 1.0), error.after if isinstance(error, PassingError) else 0)  # noqa: S311  spreads load, guards nothing
                reason = reason_of(error)
                if time.monotonic() + wait - max(self._last_success, begun) > self._seconds:
                    raise TransferError(reason) from error
                self._on_trouble(reason)
                await asyncio.sleep(wait)
                pause = min(pause * 2, _LONGEST_PAUSE)
            else:
                self.renew()
                return result


def reason_of(error: Exception) -> str:
    """A passing fault in words."""
    match error:
        case PassingError():
            return str(error)
        case httpx.ConnectError():
            return f"The server cannot be reached: {error}"
        case httpx.TimeoutException():
            return "The server did not answer in time"
    return f"The connection failed: {str(error) or type(error).__name__}"


def raise_if_passing(response: httpx.Response) -> None:
    """Complain about answers that are worth another try: 408, 429 and 5xx but 501, 505 and 507.

    Raises:
        PassingError: it is one of those.
    """
    status = response.status_code
    if status in {408, 429} or (status >= 500 and status not in {501, 505, 507}):
        after = response.headers.get("retry-after", "")
        raise PassingError(
            f"The server answered {status} {response.reason_phrase}".rstrip(), float(after) if after.isdecimal() else 0
        )
