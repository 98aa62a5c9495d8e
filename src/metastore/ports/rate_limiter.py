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
    """The result of an attempt. ``reset_after`` is in seconds."""

    allowed: bool
    remaining: int
    reset_after: int


class RateLimiter(Protocol):
    """A rate limiter. Every attempt is counted; during an outage of its backend each process counts its own."""

    async def attempt(self, limit: Limit, key: str) -> Standing:
        """Count one attempt atomically and return whether it is within the limit."""
        ...

    async def refund(self, limit: Limit, key: str) -> None:
        """Refund one counted attempt that turned out to be legitimate."""
        ...

    async def check(self) -> None:
        """Return when the shared counts are available.

        Raises:
            LimiterUnavailableError: they are not.
        """
        ...

    async def aclose(self) -> None:
        """Release connections."""
        ...


class LimiterUnavailableError(Exception):
    """The shared counts are unavailable."""
