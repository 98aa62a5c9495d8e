"""The in-process bus's durable queues: one row per consumer and event, deleted when handled.

A row is *due* when it is neither dead nor waiting for its next try, and no older row of the same consumer and
aggregate is waiting for its own: so a failing event holds up what is about the same thing, and nothing else.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from pydantic import JsonValue
from sqlalchemy import JSON, Index, String, Text, UniqueConstraint, delete, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Mapped, aliased, mapped_column

from metastore.kit.clock import utc_now
from metastore.kit.database import Transaction
from metastore.kit.ids import new_id
from metastore.kit.outbox import RecordedEvent
from metastore.kit.tables import Base, UtcDateTime
from metastore.ports.event_bus import DeadEvent

_ROWS_PER_INSERT = 500


class QueuedEvent(Base):
    """An event that a consumer has yet to handle, or has given up."""

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

Index("ix_queued_events_due", QueuedEvent.consumer, QueuedEvent.id, sqlite_where=_ALIVE, postgresql_where=_ALIVE)
Index(
    "ix_queued_events_waiting",
    QueuedEvent.consumer,
    QueuedEvent.aggregate,
    QueuedEvent.id,
    sqlite_where=_WAITING,
    postgresql_where=_WAITING,
)
Index("ix_queued_events_dead", QueuedEvent.id, sqlite_where=_DEAD, postgresql_where=_DEAD)


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event on its way to a consumer, and how often it failed before."""

    id: str
    attempts: int
    event: RecordedEvent


@dataclass(frozen=True, slots=True)
class Failure:
    """What a failed delivery comes to: another try at ``next_attempt_at``, or death when that is ``None``.

    ``is_try`` is false of one that does not count.
    """

    error: str
    next_attempt_at: datetime | None
    is_try: bool = True


_EVENT = (
    QueuedEvent.event_id,
    QueuedEvent.event_type,
    QueuedEvent.aggregate,
    QueuedEvent.payload,
    QueuedEvent.headers,
    QueuedEvent.created_at,
)


async def enqueue(tx: Transaction, deliveries: Iterable[tuple[str, RecordedEvent]]) -> None:
    """Queue each event for its consumer, in order; what is queued already stays as it is."""
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
            "attempts": 0,
        }
        for consumer, event in deliveries
    ]
    dialect_insert = sqlite_insert if tx.dialect == "sqlite" else postgresql_insert
    for start in range(0, len(rows), _ROWS_PER_INSERT):
        statement = dialect_insert(QueuedEvent).on_conflict_do_nothing(index_elements=["consumer", "event_id"])
        await tx.session.execute(statement, rows[start : start + _ROWS_PER_INSERT])


async def due(tx: Transaction, consumer: str, limit: int) -> list[Delivery]:
    """The oldest events that the consumer may handle now."""
    now = utc_now()
    older = aliased(QueuedEvent)
    held_up = exists().where(
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
            ~held_up,
        )
        .order_by(QueuedEvent.id)
        .limit(limit)
    )
    return [Delivery(row[0], row[1], RecordedEvent(*row[2:])) for row in rows]


async def next_due(tx: Transaction, consumer: str) -> datetime | None:
    """When the next event of the consumer that is waiting becomes due."""
    return await tx.session.scalar(
        select(func.min(QueuedEvent.next_attempt_at)).where(
            QueuedEvent.consumer == consumer, _WAITING, QueuedEvent.next_attempt_at > utc_now()
        )
    )


async def settle(tx: Transaction, handled: Sequence[str], failed: Mapping[str, Failure]) -> None:
    """Remove what was handled and note what failed."""
    if handled:
        await tx.session.execute(delete(QueuedEvent).where(QueuedEvent.id.in_(handled)))
    for row_id, failure in failed.items():
        await tx.session.execute(
            update(QueuedEvent)
            .where(QueuedEvent.id == row_id)
            .values(
                attempts=QueuedEvent.attempts + int(failure.is_try),
                error=failure.error,
                next_attempt_at=failure.next_attempt_at,
                dead_at=None if failure.next_attempt_at else utc_now(),
            )
        )


async def dead(tx: Transaction, limit: int, before: str | None) -> list[DeadEvent]:
    """Dead events, latest queued first."""
    statement = select(
        QueuedEvent.id, QueuedEvent.consumer, QueuedEvent.attempts, QueuedEvent.error, QueuedEvent.dead_at, *_EVENT
    ).where(_DEAD)
    if before is not None:
        statement = statement.where(QueuedEvent.id < before)
    rows = await tx.session.execute(statement.order_by(QueuedEvent.id.desc()).limit(limit))
    # A dead row always has its time of death: the query asks for it.
    return [
        DeadEvent(row[0], row[1], RecordedEvent(*row[5:]), row[2], row[3] or "", cast(datetime, row[4])) for row in rows
    ]


async def revive(tx: Transaction, row_id: str) -> str | None:
    """Give a dead event fresh tries; its consumer, or ``None`` when there is no such dead event."""
    return await tx.session.scalar(
        update(QueuedEvent)
        .where(QueuedEvent.id == row_id, _DEAD)
        .values(attempts=0, next_attempt_at=None, dead_at=None)
        .returning(QueuedEvent.consumer)
    )
