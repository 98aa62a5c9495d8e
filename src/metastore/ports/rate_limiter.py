"""Counting attempts per key within a time window."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``amount`` attempts in ``window`` seconds; ``name`` is shown in the ``RateLimit-Policy`` header."""

    name: str
    amount: int
    window: int


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a key stands after an attempt; ``reset_after`` is in seconds."""

    allowed: bool
    remaining: int
    reset_after: int


class RateLimiter(Protocol):
    """See the module. When its backend is gone, each process counts for itself: nothing goes through uncounted."""

    async def attempt(self, limit: Limit, key: str) -> Standing:
        """Count one attempt, atomically, and say whether it was within the limit."""
        ...

    async def forgive(self, limit: Limit, key: str) -> None:
        """Take back one counted attempt (one that turned out to be legitimate)."""
        ...

    async def check(self) -> None:
        """Return when the counts that processes share can be reached.

        Raises:
            LimiterUnavailableError: they cannot.
        """
        ...

    async def aclose(self) -> None:
        """Release connections."""
        ...


class LimiterUnavailableError(Exception):
    """The shared counts cannot be reached."""
