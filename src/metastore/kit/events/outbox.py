"""The transactional outbox: events stored with the change that they describe and published afterwards.

Publishing to a broker inside a transaction loses or invents events when either side fails. Instead, an event is a row
of ``outbox_events`` written in the transaction of the change. The relay publishes pending rows and marks them. A row
may be published twice when the relay dies in between; consumers recognize the second delivery by its id (``inbox``).

Ids are UUIDv7 and only roughly in commit order, so never poll by "id greater than the last". Pending rows are found by
their status alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from pydantic import JsonValue
from sqlalchemy import (
    JSON,
    BigInteger,
    Index,
    Integer,
    String,
    bindparam,
    delete,
    exists,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.orm import Mapped, aliased, mapped_column

from metastore.kit.clock import utc_now
from metastore.kit.database.command import Nothing, RowInsert
from metastore.kit.database.query import Query
from metastore.kit.database.tables import Base, PartialIndex, UtcDateTime, table_of
from metastore.kit.database.unit_of_work import Transaction

PENDING = "pending"
PUBLISHED = "published"


class OutboxEvent(Base):
    """An event that is pending, or published and not yet pruned."""

    __tablename__ = "outbox_events"
    __table_args__ = (
        PartialIndex(
            "ix_outbox_events_pending",
            "id",
            where=text("status = 'pending'"),
        ),
        PartialIndex(
            "ix_outbox_events_pending_aggregate",
            "aggregate",
            "id",
            where=text("status = 'pending'"),
        ),
        PartialIndex(
            "ix_outbox_events_refused",
            "aggregate",
            "id",
            where=text("status = 'pending' AND retry_at IS NOT NULL"),
        ),
        Index("ix_outbox_events_published_at", "published_at"),
        PartialIndex(
            "ix_outbox_events_position",
            "position",
            unique=True,
            where=text("position IS NOT NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    event_type: Mapped[str] = mapped_column(String(100))
    aggregate: Mapped[str] = mapped_column(String(100))
    payload: Mapped[dict[str, JsonValue]] = mapped_column(JSON)
    headers: Mapped[dict[str, str]] = mapped_column(JSON)
    status: Mapped[str] = mapped_column(String(20), default=PENDING)
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    published_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    retry_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Set while the bus refuses this event. It and later events of the same aggregate wait until then."""
    position: Mapped[int | None] = mapped_column(BigInteger)
    """Its place in the order of publication, if it was published to consumers on this database (``positions``)."""


INSERT = RowInsert(Nothing, insert(table_of(OutboxEvent)))
"""Inserts a pending event."""


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """An event read from the outbox or received from the bus."""

    id: str
    event_type: str
    aggregate: str
    payload: dict[str, JsonValue]
    headers: dict[str, str]
    created_at: datetime


_AS_EVENT = (
    OutboxEvent.id,
    OutboxEvent.event_type,
    OutboxEvent.aggregate,
    OutboxEvent.payload,
    OutboxEvent.headers,
    OutboxEvent.created_at,
)
# A literal, not a bound parameter: the planner uses the partial indexes only when it sees the value.
_IS_PENDING = OutboxEvent.status == text("'pending'")


class _EventRow(NamedTuple):
    id: str
    event_type: str
    aggregate: str
    payload: dict[str, JsonValue]
    headers: dict[str, str]
    created_at: datetime


_OLDER = aliased(OutboxEvent)
_FOLLOWS_REFUSED = exists().where(
    _OLDER.status == text("'pending'"),
    _OLDER.retry_at.is_not(None),
    _OLDER.retry_at > bindparam("now", type_=UtcDateTime()),
    _OLDER.aggregate == OutboxEvent.aggregate,
    _OLDER.id <= OutboxEvent.id,
)
_PENDING = Query(
    _EventRow,
    select(*_AS_EVENT)
    .where(_IS_PENDING, ~_FOLLOWS_REFUSED)
    .order_by(OutboxEvent.id)
    .limit(bindparam("limit", type_=Integer))
    .with_for_update(skip_locked=True, of=OutboxEvent),
)


async def pending_events(tx: Transaction, limit: int) -> list[RecordedEvent]:
    """Return the oldest pending events, locked for this transaction where the database locks rows.

    Concurrent relays skip each other's rows. To keep the order within an aggregate, events are left out whose aggregate
    has an older pending event that another relay has locked, or that the bus refuses at present.
    """
    values = {"now": utc_now(), "limit": limit}
    if tx.dialect == "sqlite":
        return [RecordedEvent(*row) for row in await tx.fetch(_PENDING, **values)]
    # In the session's transaction, even of one that only reads: it holds the locks.
    claimed = [RecordedEvent(*row) for row in await tx.session.execute(_PENDING.statement(tx.dialect), values)]
    if not claimed:
        return []
    held = await _first_pending_elsewhere(tx, claimed)
    return [event for event in claimed if event.aggregate not in held or event.id < held[event.aggregate]]


async def _first_pending_elsewhere(tx: Transaction, claimed: Sequence[RecordedEvent]) -> dict[str, str]:
    rows = await tx.session.execute(
        select(OutboxEvent.aggregate, func.min(OutboxEvent.id))
        .where(
            _IS_PENDING,
            OutboxEvent.aggregate.in_({event.aggregate for event in claimed}),
            OutboxEvent.id < claimed[-1].id,
            OutboxEvent.id.not_in([event.id for event in claimed]),
        )
        .group_by(OutboxEvent.aggregate)
    )
    return dict(rows.all())


async def mark_published(tx: Transaction, ids: Sequence[str]) -> None:
    """Mark these events as published."""
    await tx.session.execute(
        update(OutboxEvent)
        .where(OutboxEvent.id.in_(ids))
        .values(status=PUBLISHED, published_at=utc_now(), retry_at=None, attempts=OutboxEvent.attempts + 1)
    )


async def count_attempt(tx: Transaction, ids: Sequence[str], retry_at: datetime | None = None) -> None:
    """Count a failed attempt to publish these events. With ``retry_at``, they are not attempted again before then."""
    await tx.session.execute(
        update(OutboxEvent).where(OutboxEvent.id.in_(ids)).values(attempts=OutboxEvent.attempts + 1, retry_at=retry_at)
    )


async def backlog(tx: Transaction) -> tuple[int, datetime | None]:
    """Return the number of pending events and when the oldest of them was recorded."""
    row = (await tx.session.execute(select(func.count(), func.min(OutboxEvent.created_at)).where(_IS_PENDING))).one()
    return row[0], row[1]


async def next_retry(tx: Transaction) -> datetime | None:
    """Return when the first of the events that the bus refused is due again, or ``None`` if it refuses none."""
    refused = select(func.min(OutboxEvent.retry_at)).where(_IS_PENDING, OutboxEvent.retry_at.is_not(None))
    return await tx.session.scalar(refused)


async def prune(tx: Transaction, before: datetime, limit: int, *, keep_after: int | None = None) -> int:
    """Delete up to ``limit`` events published before ``before``. Return how many were deleted.

    Events with a position after ``keep_after`` are kept: some consumer has yet to handle them.
    """
    old = select(OutboxEvent.id).where(OutboxEvent.published_at < before).limit(limit)
    if keep_after is not None:
        old = old.where(OutboxEvent.position.is_(None) | (OutboxEvent.position <= keep_after))
    result = await tx.session.execute(delete(OutboxEvent).where(OutboxEvent.id.in_(old)).returning(OutboxEvent.id))
    return len(result.all())
