"""Periods in requests, given by timestamps (RFC 3339) or whole days in UTC (``2026-11-22``)."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("the calendar does not reach that far") from None


DayOrMoment = Annotated[AwareDatetime, AfterValidator(_in_utc)] | date
"""The start or end of a period. A day is included completely."""


def beginning(of: DayOrMoment) -> datetime:
    """Return the first moment of a period that starts with ``of``."""
    return of if isinstance(of, datetime) else datetime.combine(of, time.min, UTC)


def ending(of: DayOrMoment) -> datetime:
    """Return the exclusive end of a period that ends with ``of``: a day is included, a timestamp is not."""
    if isinstance(of, datetime):
        return of
    # There is no day after the last one of the calendar.
    return beginning(of) + timedelta(days=1) if of < date.max else datetime.max.replace(tzinfo=UTC)


def day_of(moment: DayOrMoment) -> date:
    """Return the day that contains ``moment``. Timestamps are in UTC."""
    return moment.date() if isinstance(moment, datetime) else moment
