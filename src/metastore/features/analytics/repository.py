"""Every SQL statement on analytics."""

from collections.abc import Mapping, Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from metastore.features.analytics.models import AnalyticsDay, AnalyticsVisitor
from metastore.kit.database import Transaction

COUNTED = tuple(column.name for column in AnalyticsDay.__table__.columns if column.name != "day")
"""What is counted of a day."""


async def add(tx: Transaction, day: date, amounts: Mapping[str, int]) -> None:
    """Add to what was counted of a day, in one statement."""
    insert = sqlite_insert if tx.dialect == "sqlite" else postgresql_insert
    statement = insert(AnalyticsDay).values({"day": day, **dict.fromkeys(COUNTED, 0), **amounts})
    grown = {name: AnalyticsDay.__table__.c[name] + statement.excluded[name] for name in amounts}
    await tx.session.execute(statement.on_conflict_do_update(index_elements=["day"], set_=grown))


async def first_sight(tx: Transaction, day: date, user_id: str) -> bool:
    """Note that a user did something on that day; ``False`` when that was known."""
    insert = sqlite_insert if tx.dialect == "sqlite" else postgresql_insert
    statement = insert(AnalyticsVisitor).values(day=day, user_id=user_id).on_conflict_do_nothing()
    found = await tx.session.execute(statement.returning(AnalyticsVisitor.user_id))
    return found.first() is not None


async def days(tx: Transaction, first: date, last: date) -> Sequence[AnalyticsDay]:
    """What was counted of these days, in order; of days on which nothing happened, nothing."""
    statement = select(AnalyticsDay).where(AnalyticsDay.day.between(first, last)).order_by(AnalyticsDay.day)
    return (await tx.session.scalars(statement)).all()
