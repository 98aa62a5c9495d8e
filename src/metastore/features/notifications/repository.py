"""SQL statements on notifications."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import NamedTuple

from pydantic import JsonValue
from sqlalchemy import Integer, String, bindparam, func, select, update

from metastore.features.notifications.models import Notification
from metastore.kit.database.command import Change, Id, RowInsert
from metastore.kit.database.inserts import insert_into
from metastore.kit.database.query import Query
from metastore.kit.database.tables import table_of
from metastore.kit.database.unit_of_work import Transaction


def _insert_new(dialect: str) -> Change:
    inserting = insert_into(table_of(Notification), dialect).on_conflict_do_nothing(
        index_elements=["user_id", "event_id"]
    )
    return inserting.returning(table_of(Notification).c.id)


_INSERT = RowInsert(Id, _insert_new)


async def insert(tx: Transaction, notifications: Sequence[Mapping[str, object]]) -> set[str]:
    """Insert notifications, except where the user has one for that event already; return the IDs of the new ones."""
    return {row.id for row in await tx.execute_all(_INSERT, notifications)}


class NotificationRow(NamedTuple):
    """A notification as lists show it."""

    id: str
    user_id: str
    type: str
    message: str
    payload: dict[str, JsonValue]
    read_at: datetime | None
    created_at: datetime


class _Count(NamedTuple):
    number: int


async def latest(
    tx: Transaction, user_id: str, *, unread: bool, before: str | None, limit: int
) -> Sequence[NotificationRow]:
    """Return the user's notifications with IDs below ``before``, latest first."""
    query = _latest_query(unread=unread, resumed=before is not None)
    return await tx.fetch(query, user=user_id, before=before, limit=limit)


async def count_unread(tx: Transaction, user_id: str) -> int:
    """Return the number of the user's unread notifications."""
    counted = await tx.fetch_first(_UNREAD, user=user_id)
    return counted.number if counted else 0


_OF_USER = Notification.user_id == bindparam("user", type_=String)
_UNREAD = Query(_Count, select(func.count()).where(_OF_USER, Notification.read_at.is_(None)))


@cache
def _latest_query(*, unread: bool, resumed: bool) -> Query[NotificationRow]:
    statement = select(*(getattr(Notification, name) for name in NotificationRow._fields)).where(_OF_USER)
    if unread:
        statement = statement.where(Notification.read_at.is_(None))
    if resumed:
        statement = statement.where(Notification.id < bindparam("before", type_=String))
    return Query(NotificationRow, statement.order_by(Notification.id.desc()).limit(bindparam("limit", type_=Integer)))


async def mark_read(tx: Transaction, user_id: str, notification_id: str, now: datetime) -> Notification | None:
    """Mark the user's notification as read and return it; ``None`` if the user has none with that ID."""
    return await tx.session.scalar(
        update(Notification)
        .where(Notification.id == notification_id, Notification.user_id == user_id)
        .values(read_at=func.coalesce(Notification.read_at, now))
        .returning(Notification)
    )


async def mark_all_read(tx: Transaction, user_id: str, now: datetime) -> int:
    """Mark all of the user's notifications as read; return how many were unread."""
    rows = await tx.session.execute(
        update(Notification)
        .where(Notification.user_id == user_id, Notification.read_at.is_(None))
        .values(read_at=now)
        .returning(Notification.id)
        .execution_options(synchronize_session=False)
    )
    return len(rows.all())


async def exists(tx: Transaction, notification_id: str) -> bool:
    """Return whether any user has a notification with that ID."""
    return await tx.session.get(Notification, notification_id) is not None
