"""SQL statements on analytics."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Insert as PostgresqlInsert
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import Insert as SqliteInsert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from metastore.features.analytics.models import AnalyticsDay, AnalyticsVisitor
from metastore.kit.database.tables import table_of
from metastore.kit.database.unit_of_work import Transaction

COUNTED = tuple(column.name for column in AnalyticsDay.__table__.columns if column.name != "day")
"""The names of the counters."""


_DIALECTS = (("sqlite", sqlite_insert), ("postgresql", postgresql_insert))
_DAYS = table_of(AnalyticsDay).c


def _add_to_day(statement: SqliteInsert | PostgresqlInsert) -> SqliteInsert | PostgresqlInsert:
    sums = {name: _DAYS[name] + statement.excluded[name] for name in COUNTED}
    return statement.on_conflict_do_update(index_elements=["day"], set_=sums)


_ADD = {dialect: _add_to_day(dialect_insert(table_of(AnalyticsDay))) for dialect, dialect_insert in _DIALECTS}
_ADD_VISITORS = {
    dialect: dialect_insert(table_of(AnalyticsVisitor))
    .on_conflict_do_nothing()
    .returning(table_of(AnalyticsVisitor).c.day)
    for dialect, dialect_insert in _DIALECTS
}


async def add(tx: Transaction, amounts: Mapping[date, Mapping[str, int]]) -> None:
    """Add to the counters of each day."""
    rows = [{"day": day, **dict.fromkeys(COUNTED, 0), **amounts[day]} for day in sorted(amounts)]
    await tx.session.execute(_ADD[tx.dialect], rows)


async def add_visitors(tx: Transaction, visits: Collection[tuple[date, str]]) -> list[date]:
    """Store which users were active on which days; return the day of each visit that was not stored before."""
    rows = [{"day": day, "user_id": user_id} for day, user_id in sorted(visits)]
    return list((await tx.session.execute(_ADD_VISITORS[tx.dialect], rows)).scalars())


async def days(tx: Transaction, first: date, last: date) -> Sequence[AnalyticsDay]:
    """Return the counters of a period, both ends included, by day; days without events are left out."""
    statement = select(AnalyticsDay).where(AnalyticsDay.day.between(first, last)).order_by(AnalyticsDay.day)
    return (await tx.session.scalars(statement)).all()
