"""The analytics service: counts usage per day (in UTC) and reports it."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from metastore.features.analytics import repository
from metastore.features.analytics.schemas import Amounts, AnalyticsOut, AnalyticsQuery, DayOut
from metastore.kit.api.period import day_of
from metastore.kit.clock import Clock
from metastore.kit.database.unit_of_work import Transaction
from metastore.kit.problems.problem import invalid

_DEFAULT_DAYS = 30
_MAX_DAYS = 366


@dataclass(frozen=True, slots=True)
class Usage:
    """What happened at a moment: ``amounts`` by the names of the fields of ``Amounts``.

    ``user_id`` is the user who was active, if any.
    """

    moment: datetime
    user_id: str | None = None
    amounts: Mapping[str, int] = field(default_factory=dict)

    @property
    def day(self) -> date:
        """The day in UTC."""
        return self.moment.astimezone(UTC).date()


class AnalyticsService:
    """Counts usage and reports it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def count(self, tx: Transaction, usages: Sequence[Usage]) -> None:
        """Add to the days of the usages."""
        amounts: defaultdict[date, Counter[str]] = defaultdict(Counter)
        for usage in usages:
            amounts[usage.day].update(usage.amounts)
        visits = {(usage.day, usage.user_id) for usage in usages if usage.user_id is not None}
        if visits:
            for day in await repository.add_visitors(tx, visits):
                amounts[day]["active_users"] += 1
        changed = {day: counted for day, counted in amounts.items() if counted}
        if changed:
            await repository.add(tx, changed)

    async def report(self, tx: Transaction, query: AnalyticsQuery) -> AnalyticsOut:
        """Return the counters of every day of a period, and the totals.

        Raises:
            Problem: 422 if the period ends before it starts, or is longer than 366 days.
        """
        first, last = self._period(query)
        counted = {row.day: DayOut.model_validate(row) for row in await repository.days(tx, first, last)}
        every_day = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        days = [counted.get(day) or DayOut(day=day) for day in every_day]
        totals = {name: sum(getattr(day, name) for day in days) for name in Amounts.model_fields}
        return AnalyticsOut(first_day=first, last_day=last, days=days, totals=Amounts.model_validate(totals))

    def _period(self, query: AnalyticsQuery) -> tuple[date, date]:
        last = day_of(query.until) if query.until else max(self._clock().date(), _day(query) or date.min)
        first = _day(query) or date.fromordinal(max(1, last.toordinal() - _DEFAULT_DAYS + 1))
        if first > last:
            raise invalid("from", "The period ends before it starts.")
        if (last - first).days >= _MAX_DAYS:
            raise invalid("from", f"A period can have at most {_MAX_DAYS} days.")
        return first, last


def _day(query: AnalyticsQuery) -> date | None:
    return day_of(query.since) if query.since else None
