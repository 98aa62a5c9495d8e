"""SQL statements on analytics."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from functools import cache

from sqlalchemy import select
from sqlalchemy.sql.dml import ReturningInsert

from metastore.features.analytics.models import AnalyticsDay, AnalyticsVisitor
from metastore.kit.database.inserts import Insert, insert_into
from metastore.kit.database.tables import table_of
from metastore.kit.database.unit_of_work import Transaction

COUNTED = tuple(column.name for column in AnalyticsDay.__table__.columns if column.name != "day")
"""The names of the counters."""


_DAYS = table_of(AnalyticsDay).c


@cache
def _add(dialect: str) -> Insert:
    statement = insert_into(table_of(AnalyticsDay), dialect)
    sums = {name: _DAYS[name] + statement.excluded[name] for name in COUNTED}
    return statement.on_conflict_do_update(index_elements=["day"], set_=sums)


@cache
def _add_visitors(dialect: str) -> ReturningInsert[date]:
    statement = insert_into(table_of(AnalyticsVisitor), dialect).on_conflict_do_nothing()
    return statement.returning(table_of(AnalyticsVisitor).c.day)


async def add(tx: Transaction, amounts: Mapping[date, Mapping[str, int]]) -> None:
    """Add to the counters of each day."""
    rows = [{"day": day, **dict.fromkeys(COUNTED, 0), **amounts[day]} for day in sorted(amounts)]
    await tx.session.execute(_add(tx.dialect), rows)


async def add_visitors(tx: Transaction, visits: Collection[tuple[date, str]]) -> list[date]:
    """Store which users were active on which days; return the day of each visit that was not stored before."""
    rows = [{"day": day, "user_id": user_id} for day, user_id in sorted(visits)]
    return list((await tx.session.execute(_add_visitors(tx.dialect), rows)).scalars())


async def days(tx: Transaction, first: date, last: date) -> Sequence[AnalyticsDay]:
    """Return the counters of a period, both ends included, by day; days without events are left out."""
    statement = select(AnalyticsDay).where(AnalyticsDay.day.between(first, last)).order_by(AnalyticsDay.day)
    return (await tx.session.scalars(statement)).all()
