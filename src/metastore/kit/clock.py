"""Time, in one place so that tests can set it."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""A clock returns the present as an aware ``datetime`` in UTC."""


def utc_now() -> datetime:
    """The present, in UTC."""
    return datetime.now(UTC)


def period_start(now: float, lifetime: int) -> int:
    """When, in Unix seconds, the period began that ``now`` falls into; a period is a quarter of ``lifetime`` (seconds).

    What is signed to hold for ``lifetime`` from then on is the same for a whole period, in every process, so that URLs
    are found again in caches; it still holds for three quarters of ``lifetime`` when the period ends.
    """
    period = max(1, lifetime // 4)
    return int(now) // period * period


def rfc3339(moment: datetime) -> str:
    """``moment`` as RFC 3339 in UTC with milliseconds: ``2026-01-02T03:04:05.678Z``."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
