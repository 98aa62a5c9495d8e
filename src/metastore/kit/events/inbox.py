"""The inbox: an event takes effect once per consumer, however often it is delivered.

The row (consumer, event id) is inserted in the transaction of the effect, so either both are committed or neither is.
"""

from datetime import datetime

from sqlalchemy import Index, String, delete, select, tuple_
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Mapped, mapped_column

from metastore.kit.clock import utc_now
from metastore.kit.database.tables import Base, UtcDateTime
from metastore.kit.database.unit_of_work import Transaction


class InboxEvent(Base):
    """An event that a consumer has handled."""

    __tablename__ = "inbox_events"
    __table_args__ = (Index("ix_inbox_events_handled_at", "handled_at"),)

    consumer: Mapped[str] = mapped_column(String(50), primary_key=True)
    event_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    handled_at: Mapped[datetime] = mapped_column(UtcDateTime)


async def first_delivery(tx: Transaction, consumer: str, event_id: str) -> bool:
    """Record the event as handled by ``consumer``. Return ``False`` when it has been handled before.

    A concurrent delivery of the same event waits here for the first one's transaction.
    """
    values = {"consumer": consumer, "event_id": event_id, "handled_at": utc_now()}
    insert = sqlite_insert if tx.dialect == "sqlite" else postgresql_insert
    statement = insert(InboxEvent).values(values).on_conflict_do_nothing().returning(InboxEvent.event_id)
    return (await tx.session.execute(statement)).first() is not None


async def prune(tx: Transaction, before: datetime, limit: int) -> int:
    """Delete up to ``limit`` events handled before ``before``. Return how many were deleted.

    ``before`` must be earlier than anything that a broker may still redeliver.
    """
    key = tuple_(InboxEvent.consumer, InboxEvent.event_id)
    old = select(InboxEvent.consumer, InboxEvent.event_id).where(InboxEvent.handled_at < before).limit(limit)
    result = await tx.session.execute(delete(InboxEvent).where(key.in_(old)).returning(InboxEvent.event_id))
    return len(result.all())
