"""SQL statements on analytics."""

from collections.abc import Mapping, Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from metastore.features.analytics.models import AnalyticsDay, AnalyticsVisitor
from metastore.kit.database.unit_of_work import Transaction

COUNTED = tuple(column.name for column in AnalyticsDay.__table__.columns if column.name != "day")
"""The names of the counters."""


async def add(tx: Transaction, day: date, amounts: Mapping[str, int]) -> None:
    """Add to the counters of a day, in one statement."""
    insert = sqlite_insert if tx.dialect == "sqlite" else postgresql_insert
    statement = insert(AnalyticsDay).values({"day": day, **dict.fromkeys(COUNTED, 0), **amounts})
    sums = {name: AnalyticsDay.__table__.c[name] + statement.excluded[name] for name in amounts}
    await tx.session.execute(statement.on_conflict_do_update(index_elements=["day"], set_=sums))


async def add_visitor(tx: Transaction, day: date, user_id: str) -> bool:
    """Store that a user was active on a day; return ``False`` if that was stored before."""
    insert = sqlite_insert if tx.dialect == "sqlite" else postgresql_insert
    statement = insert(AnalyticsVisitor).values(day=day, user_id=user_id).on_conflict_do_nothing()
    found = await tx.session.execute(statement.returning(AnalyticsVisitor.user_id))
    return found.first() is not None


async def days(tx: Transaction, first: date, last: date) -> Sequence[AnalyticsDay]:
    """Return the counters of a period, both ends included, by day; days without events are left out."""
    statement = select(AnalyticsDay).where(AnalyticsDay.day.between(first, last)).order_by(AnalyticsDay.day)
    return (await tx.session.scalars(statement)).all()
