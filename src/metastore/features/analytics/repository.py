"""SQL statements on analytics."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from sqlalchemy import select

from metastore.features.analytics.models import AnalyticsDay, AnalyticsVisitor
from metastore.kit.database.command import Change, Nothing, RowInsert
from metastore.kit.database.inserts import insert_into
from metastore.kit.database.tables import table_of
from metastore.kit.database.unit_of_work import Transaction

COUNTED = tuple(column.name for column in AnalyticsDay.__table__.columns if column.name != "day")
"""The names of the counters."""


_DAYS = table_of(AnalyticsDay).c


def _add_to_day(dialect: str) -> Change:
    statement = insert_into(table_of(AnalyticsDay), dialect)
    sums = {name: _DAYS[name] + statement.excluded[name] for name in COUNTED}
    return statement.on_conflict_do_update(index_elements=["day"], set_=sums)


class _Day(NamedTuple):
    day: date


def _add_visitor(dialect: str) -> Change:
    visitors = table_of(AnalyticsVisitor).c
    return insert_into(table_of(AnalyticsVisitor), dialect).on_conflict_do_nothing().returning(visitors.day)


_ADD = RowInsert(Nothing, _add_to_day)
_ADD_VISITORS = RowInsert(_Day, _add_visitor)


async def add(tx: Transaction, amounts: Mapping[date, Mapping[str, int]]) -> None:
    """Add to the counters of each day."""
    rows = [{"day": day, **dict.fromkeys(COUNTED, 0), **amounts[day]} for day in sorted(amounts)]
    await tx.execute_all(_ADD, rows)


async def add_visitors(tx: Transaction, visits: Collection[tuple[date, str]]) -> list[date]:
    """Store which users were active on which days; return the day of each visit that was not stored before."""
    rows = [{"day": day, "user_id": user_id} for day, user_id in sorted(visits)]
    return [row.day for row in await tx.execute_all(_ADD_VISITORS, rows)]


async def days(tx: Transaction, first: date, last: date) -> Sequence[AnalyticsDay]:
    """Return the counters of a period, both ends included, by day; days without events are left out."""
    statement = select(AnalyticsDay).where(AnalyticsDay.day.between(first, last)).order_by(AnalyticsDay.day)
    return (await tx.session.scalars(statement)).all()
