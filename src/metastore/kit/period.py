"""Periods as clients name them: by moments (RFC 3339) or by whole days of UTC, ``2026-11-22``."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("the calendar does not reach that far") from None


DayOrMoment = Annotated[AwareDatetime, AfterValidator(_in_utc)] | date
"""How either end of a period is given. A day stands for all of it."""


def beginning(of: DayOrMoment) -> datetime:
    """The moment that a period from there begins at."""
    return of if isinstance(of, datetime) else datetime.combine(of, time.min, UTC)


def ending(of: DayOrMoment) -> datetime:
    """The moment that a period up to there ends before: a day is part of it, a moment is not."""
    if isinstance(of, datetime):
        return of
    # The calendar's last day has none after it.
    return beginning(of) + timedelta(days=1) if of < date.max else datetime.max.replace(tzinfo=UTC)


def day_of(moment: DayOrMoment) -> date:
    """The day that it falls on; moments are in UTC already."""
    return moment.date() if isinstance(moment, datetime) else moment
