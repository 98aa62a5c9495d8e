"""Retry requests with growing pauses after transient errors of the network or the server.

A run has one ``RetryPolicy``. Any success resets its time limit, so that a long transfer over an unreliable connection
continues as long as it makes progress.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import httpx

from metastore.client.errors import TransferError

Result = TypeVar("Result")

_FIRST_PAUSE = 0.25
_MAX_PAUSE = 10.0


class TransientError(Exception):
    """An error that a retry may resolve. ``after`` is the number of seconds that the server asks to wait."""

    def __init__(self, reason: str, after: float = 0.0) -> None:
        super().__init__(reason)
        self.after = after


class RetryPolicy:
    """Fails after ``seconds`` without any success. Calls ``on_retry`` with the reason before each pause."""

    def __init__(self, seconds: float, on_retry: Callable[[str], None] | None = None) -> None:
        self._seconds = seconds
        self._on_retry = on_retry or (lambda _reason: None)
        self._last_success = time.monotonic()

    def reset(self) -> None:
        """Restart the time limit after a success."""
        self._last_success = time.monotonic()

    async def run(self, attempt: Callable[[], Awaitable[Result]]) -> Result:
        """Call ``attempt`` until it raises no transient error, and return its result.

        Raises:
            TransferError: the time limit was exceeded. The message is that of the last error.
        """
        pause = _FIRST_PAUSE
        began = time.monotonic()
        while True:
            try:
                result = await attempt()
            except (httpx.TransportError, TransientError) as error:
                wait = max(pause * random.uniform(0.5, 1.0), error.after if isinstance(error, TransientError) else 0)  # noqa: S311  not for cryptography
                reason = reason_of(error)
                if time.monotonic() + wait - max(self._last_success, began) > self._seconds:
                    raise TransferError(reason) from error
                self._on_retry(reason)
                await asyncio.sleep(wait)
                pause = min(pause * 2, _MAX_PAUSE)
            else:
                self.reset()
                return result


def reason_of(error: Exception) -> str:
    """Return the message for a transient error."""
    match error:
        case TransientError():
            return str(error)
        case httpx.ConnectError():
            return f"The server cannot be reached: {error}"
        case httpx.TimeoutException():
            return "The server did not respond in time"
    return f"The connection failed: {str(error) or type(error).__name__}"


def is_transient(status: int) -> bool:
    """Return whether a retry may resolve a status: 408, 429, and 5xx except 501, 505 and 507."""
    return status in {408, 429} or (status >= 500 and status not in {501, 505, 507})


def raise_if_transient(response: httpx.Response) -> None:
    """Check for the statuses that ``is_transient`` names.

    Raises:
        TransientError: the response has one of them.
    """
    status = response.status_code
    if is_transient(status):
        after = response.headers.get("retry-after", "")
        reason = f"The server responded with {status} {response.reason_phrase}".rstrip()
        raise TransientError(reason, float(after) if after.isdecimal() else 0)
