"""The current time, replaceable in tests."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Returns the current time as an aware ``datetime`` in UTC."""


def utc_now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


def period_start(now: float, lifetime: int) -> int:
    """Return the start of the period that contains ``now``, in Unix seconds. A period is a quarter of ``lifetime``.

    URLs signed at this time for ``lifetime`` seconds are identical for a whole period in every process, so caches can
    reuse them. At the end of the period they remain valid for three quarters of ``lifetime``.
    """
    period = max(1, lifetime // 4)
    return int(now) // period * period


def rfc3339(moment: datetime) -> str:
    """Format ``moment`` as RFC 3339 in UTC with milliseconds: ``2026-01-02T03:04:05.678Z``."""
    in_utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return in_utc.isoformat(timespec="milliseconds")[: -len("+00:00")] + "Z"
