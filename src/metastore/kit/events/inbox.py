"""The inbox: an event takes effect once per consumer, however often a broker delivers it.

The row (consumer, event id) is inserted in the transaction of the effect, so either both are committed or neither is.
The in-process bus needs no inbox: there, the consumer's position (``positions``) is the record.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Index, String, delete, exists, select, tuple_
from sqlalchemy.orm import Mapped, mapped_column

from metastore.kit.clock import utc_now
from metastore.kit.database.command import Change, RowInsert
from metastore.kit.database.inserts import insert_into
from metastore.kit.database.tables import Base, UtcDateTime, table_of
from metastore.kit.database.unit_of_work import Transaction


class InboxEvent(Base):
    """An event that a consumer has handled."""

    __tablename__ = "inbox_events"
    __table_args__ = (Index("ix_inbox_events_handled_at", "handled_at"),)

    consumer: Mapped[str] = mapped_column(String(50), primary_key=True)
    event_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    handled_at: Mapped[datetime] = mapped_column(UtcDateTime)


class _Handled(NamedTuple):
    event_id: str


def _insert_new(dialect: str) -> Change:
    return (
        insert_into(table_of(InboxEvent), dialect).on_conflict_do_nothing().returning(table_of(InboxEvent).c.event_id)
    )


_INSERT = RowInsert(_Handled, _insert_new)


async def first_deliveries(tx: Transaction, consumer: str, event_ids: Sequence[str]) -> set[str]:
    """Record the events as handled by ``consumer``. Return the ids of those that have not been handled before.

    A concurrent delivery of one of them waits here for the first one's transaction.
    """
    now = utc_now()
    # In one order everywhere, so that two transactions with the same events do not wait for each other.
    rows = [{"consumer": consumer, "event_id": event_id, "handled_at": now} for event_id in sorted(set(event_ids))]
    return {row.event_id for row in await tx.execute_all(_INSERT, rows)}


async def handled(tx: Transaction, consumer: str, event_ids: Sequence[str]) -> set[str]:
    """Return the ids of those of the events that ``consumer`` has handled."""
    found = select(InboxEvent.event_id).where(InboxEvent.consumer == consumer, InboxEvent.event_id.in_(event_ids))
    return set(await tx.session.scalars(found))


async def has_handled_any(tx: Transaction, consumer: str) -> bool:
    """Return whether the inbox has any event of ``consumer``."""
    return bool(await tx.session.scalar(select(exists().where(InboxEvent.consumer == consumer))))


async def prune(tx: Transaction, before: datetime, limit: int) -> int:
    """Delete up to ``limit`` events handled before ``before``. Return how many were deleted.

    ``before`` must be earlier than anything that a broker may still redeliver.
    """
    key = tuple_(InboxEvent.consumer, InboxEvent.event_id)
    old = select(InboxEvent.consumer, InboxEvent.event_id).where(InboxEvent.handled_at < before).limit(limit)
    result = await tx.session.execute(delete(InboxEvent).where(key.in_(old)).returning(InboxEvent.event_id))
    return len(result.all())
