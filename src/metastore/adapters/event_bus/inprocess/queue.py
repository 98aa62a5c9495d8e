"""The queues of the in-process bus: the events that a consumer failed to handle, and those that wait behind them.

A row is deleted in the transaction of its event's effect. It is *due* when it is neither dead nor waiting for its next
attempt, and no older row of the same consumer and aggregate is waiting for one. A failing event therefore blocks only
later events of its own aggregate.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from pydantic import JsonValue
from sqlalchemy import JSON, String, Text, UniqueConstraint, delete, exists, func, select, update
from sqlalchemy.orm import Mapped, aliased, mapped_column

from metastore.kit.clock import utc_now
from metastore.kit.database.inserts import insert_into
from metastore.kit.database.tables import Base, PartialIndex, UtcDateTime
from metastore.kit.database.unit_of_work import Transaction
from metastore.kit.events.outbox import RecordedEvent
from metastore.kit.ids import new_id
from metastore.ports.event_bus import DeadEvent


class QueuedEvent(Base):
    """An event that a consumer is to handle later than its position says, or a dead letter (``dead_at`` is set)."""

    __tablename__ = "queued_events"
    __table_args__ = (UniqueConstraint("consumer", "event_id"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    consumer: Mapped[str] = mapped_column(String(50))
    event_id: Mapped[str] = mapped_column(String(36))
    event_type: Mapped[str] = mapped_column(String(100))
    aggregate: Mapped[str] = mapped_column(String(100))
    payload: Mapped[dict[str, JsonValue]] = mapped_column(JSON)
    headers: Mapped[dict[str, str]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    dead_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    error: Mapped[str | None] = mapped_column(Text)


_ALIVE = QueuedEvent.dead_at.is_(None)
_DEAD = QueuedEvent.dead_at.is_not(None)
_WAITING = _ALIVE & QueuedEvent.next_attempt_at.is_not(None)

PartialIndex("ix_queued_events_due", QueuedEvent.consumer, QueuedEvent.id, where=_ALIVE)
PartialIndex(
    "ix_queued_events_aggregate",
    QueuedEvent.consumer,
    QueuedEvent.aggregate,
    QueuedEvent.id,
    where=_ALIVE,
)
PartialIndex("ix_queued_events_dead", QueuedEvent.id, where=_DEAD)


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event to deliver and its number of failed attempts so far.

    ``id`` is that of its row, if it comes from the queue; ``position`` is its position otherwise.
    """

    id: str
    attempts: int
    event: RecordedEvent
    position: int = 0


@dataclass(frozen=True, slots=True)
class Failure:
    """The outcome of a failed delivery.

    ``next_attempt_at`` is the time of the next attempt, or ``None`` to dead-letter the event. ``counts`` is false
    for a failure that does not count as an attempt.
    """

    error: str
    next_attempt_at: datetime | None
    counts: bool = True


_EVENT = (
    QueuedEvent.event_id,
    QueuedEvent.event_type,
    QueuedEvent.aggregate,
    QueuedEvent.payload,
    QueuedEvent.headers,
    QueuedEvent.created_at,
)


async def enqueue(
    tx: Transaction, deliveries: Iterable[tuple[str, RecordedEvent]], failure: Failure | None = None
) -> None:
    """Queue each event for its consumer, in order, with its first failure if it had one, which may be its last.

    Events that are already queued are left unchanged.
    """
    rows = [
        {
            "id": new_id(),
            "consumer": consumer,
            "event_id": event.id,
            "event_type": event.event_type,
            "aggregate": event.aggregate,
            "payload": event.payload,
            "headers": event.headers,
            "created_at": event.created_at,
            "attempts": int(failure is not None and failure.counts),
            "error": failure.error if failure else None,
            "next_attempt_at": failure.next_attempt_at if failure else None,
            "dead_at": utc_now() if failure and failure.next_attempt_at is None else None,
        }
        for consumer, event in deliveries
    ]
    if rows:
        statement = insert_into(QueuedEvent, tx.dialect).on_conflict_do_nothing(index_elements=["consumer", "event_id"])
        await tx.session.execute(statement, rows)


async def blocked(tx: Transaction, consumer: str, aggregates: Collection[str]) -> set[str]:
    """Return those of the aggregates of which events are queued for the consumer."""
    found = select(QueuedEvent.aggregate).where(
        QueuedEvent.consumer == consumer, _ALIVE, QueuedEvent.aggregate.in_(aggregates)
    )
    return set(await tx.session.scalars(found.distinct()))


async def due(tx: Transaction, consumer: str, limit: int) -> list[Delivery]:
    """Return the consumer's oldest due events, at most ``limit``."""
    now = utc_now()
    older = aliased(QueuedEvent)
    blocked = exists().where(
        older.consumer == QueuedEvent.consumer,
        older.aggregate == QueuedEvent.aggregate,
        older.id < QueuedEvent.id,
        older.dead_at.is_(None),
        older.next_attempt_at.is_not(None),
        older.next_attempt_at > now,
    )
    rows = await tx.session.execute(
        select(QueuedEvent.id, QueuedEvent.attempts, *_EVENT)
        .where(
            QueuedEvent.consumer == consumer,
            _ALIVE,
            QueuedEvent.next_attempt_at.is_(None) | (QueuedEvent.next_attempt_at <= now),
            ~blocked,
        )
        .order_by(QueuedEvent.id)
        .limit(limit)
    )
    return [Delivery(row[0], row[1], RecordedEvent(*row[2:])) for row in rows]


async def next_due(tx: Transaction, consumer: str) -> datetime | None:
    """Return when the consumer's next waiting event becomes due, or ``None`` if none is waiting."""
    waiting = select(func.min(QueuedEvent.next_attempt_at)).where(QueuedEvent.consumer == consumer, _WAITING)
    return await tx.session.scalar(waiting)


async def remove(tx: Transaction, ids: Sequence[str]) -> int:
    """Delete the rows of handled events. Return how many there were."""
    removed = await tx.session.execute(delete(QueuedEvent).where(QueuedEvent.id.in_(ids)).returning(QueuedEvent.id))
    return len(removed.all())


async def record_failure(tx: Transaction, row_id: str, failure: Failure) -> None:
    """Record a failed attempt, the last one if it has no next."""
    await tx.session.execute(
        update(QueuedEvent)
        .where(QueuedEvent.id == row_id)
        .values(
            attempts=QueuedEvent.attempts + int(failure.counts),
            error=failure.error,
            next_attempt_at=failure.next_attempt_at,
            dead_at=None if failure.next_attempt_at else utc_now(),
        )
    )


async def dead(tx: Transaction, limit: int, before: str | None) -> list[DeadEvent]:
    """Return dead events, most recently queued first, with ids below ``before`` if given."""
    statement = select(
        QueuedEvent.id, QueuedEvent.consumer, QueuedEvent.attempts, QueuedEvent.error, QueuedEvent.dead_at, *_EVENT
    ).where(_DEAD)
    if before is not None:
        statement = statement.where(QueuedEvent.id < before)
    rows = await tx.session.execute(statement.order_by(QueuedEvent.id.desc()).limit(limit))
    # dead_at is never None here: the query requires it.
    return [
        DeadEvent(row[0], row[1], RecordedEvent(*row[5:]), row[2], row[3] or "", cast(datetime, row[4])) for row in rows
    ]


async def requeue_dead(tx: Transaction, row_id: str) -> str | None:
    """Reset a dead event's attempts and return its consumer, or ``None`` if there is no such dead event."""
    return await tx.session.scalar(
        update(QueuedEvent)
        .where(QueuedEvent.id == row_id, _DEAD)
        .values(attempts=0, next_attempt_at=None, dead_at=None)
        .returning(QueuedEvent.consumer)
    )
