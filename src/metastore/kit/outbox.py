"""The outbox: facts stored in the transaction that makes them true, published afterwards.

Publishing to a broker inside a transaction loses or invents events when either side fails. So a fact is a row of
``outbox_events`` written with the change itself; the relay publishes pending rows and marks them. A row may be
published twice when the relay dies in between; consumers drop the second by its id (see ``inbox``).

Ids are UUIDv7 and only nearly in commit order, so nothing may poll by "id greater than the last": a pending row is
found by its status alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import JsonValue
from sqlalchemy import JSON, Index, String, delete, exists, func, select, text, update
from sqlalchemy.orm import Mapped, aliased, mapped_column

from metastore.kit.clock import utc_now
from metastore.kit.context import current_context
from metastore.kit.facts import Fact
from metastore.kit.ids import new_id
from metastore.kit.tables import Base, UtcDateTime

if TYPE_CHECKING:
    from metastore.kit.database import Transaction

PENDING = "pending"
PUBLISHED = "published"


class OutboxEvent(Base):
    """A fact to be published, or published and not yet pruned."""

    __tablename__ = "outbox_events"
    __table_args__ = (
        Index(
            "ix_outbox_events_pending",
            "id",
            sqlite_where=text("status = 'pending'"),
            postgresql_where=text("status = 'pending'"),
        ),
        Index(
            "ix_outbox_events_pending_aggregate",
            "aggregate",
            "id",
            sqlite_where=text("status = 'pending'"),
            postgresql_where=text("status = 'pending'"),
        ),
        Index(
            "ix_outbox_events_refused",
            "aggregate",
            "id",
            sqlite_where=text("status = 'pending' AND retry_at IS NOT NULL"),
            postgresql_where=text("status = 'pending' AND retry_at IS NOT NULL"),
        ),
        Index("ix_outbox_events_published_at", "published_at"),
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
    """Set while the bus refuses this very event: it and what follows it about the same thing wait until then."""


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """A fact as it travels: the row's content, free of the database."""

    id: str
    event_type: str
    aggregate: str
    payload: dict[str, JsonValue]
    headers: dict[str, str]
    created_at: datetime


def outbox_row(fact: Fact) -> OutboxEvent:
    """The row for ``fact``, with the circumstances of the current request in its headers."""
    context = current_context()
    headers = context.headers() if context else {}
    return OutboxEvent(
        id=new_id(),
        event_type=fact.event_type,
        aggregate=fact.aggregate(),
        payload=fact.model_dump(mode="json", by_alias=True),
        headers={**headers, "version": str(fact.version)},
        created_at=utc_now(),
    )


_AS_EVENT = (
    OutboxEvent.id,
    OutboxEvent.event_type,
    OutboxEvent.aggregate,
    OutboxEvent.payload,
    OutboxEvent.headers,
    OutboxEvent.created_at,
)
# Written out, not bound: the partial indexes are only used when the planner sees the literal.
_IS_PENDING = OutboxEvent.status == text("'pending'")


async def pending_events(tx: "Transaction", limit: int) -> list[RecordedEvent]:
    """The oldest unpublished events, locked for this transaction where the database locks rows.

    Relays side by side skip each other's rows. So that two of them never turn round the order of one aggregate, rows
    whose aggregate has an older pending row in other hands are left for later; so are those that follow a refused one.
    """
    now = utc_now()
    older = aliased(OutboxEvent)
    follows_refused = exists().where(
        older.status == text("'pending'"),
        older.retry_at.is_not(None),
        older.retry_at > now,
        older.aggregate == OutboxEvent.aggregate,
        older.id <= OutboxEvent.id,
    )
    rows = await tx.session.execute(
        select(*_AS_EVENT)
        .where(_IS_PENDING, ~follows_refused)
        .order_by(OutboxEvent.id)
        .limit(limit)
        .with_for_update(skip_locked=True, of=OutboxEvent)
    )
    claimed = [RecordedEvent(*row) for row in rows]
    if not claimed or tx.dialect == "sqlite":
        return claimed
    held = await _first_pending_elsewhere(tx, claimed)
    return [event for event in claimed if event.aggregate not in held or event.id < held[event.aggregate]]


async def _first_pending_elsewhere(tx: "Transaction", claimed: Sequence[RecordedEvent]) -> dict[str, str]:
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


async def mark_published(tx: "Transaction", ids: Sequence[str]) -> None:
    """Note that the broker has confirmed these events."""
    await tx.session.execute(
        update(OutboxEvent)
        .where(OutboxEvent.id.in_(ids))
        .values(status=PUBLISHED, published_at=utc_now(), retry_at=None, attempts=OutboxEvent.attempts + 1)
    )


async def count_attempt(tx: "Transaction", ids: Sequence[str], retry_at: datetime | None = None) -> None:
    """Note that publishing these events was tried in vain; with ``retry_at``, that it is no use before then."""
    await tx.session.execute(
        update(OutboxEvent).where(OutboxEvent.id.in_(ids)).values(attempts=OutboxEvent.attempts + 1, retry_at=retry_at)
    )


async def backlog(tx: "Transaction") -> tuple[int, datetime | None]:
    """How many events are pending, and when the oldest of them was recorded."""
    row = (await tx.session.execute(select(func.count(), func.min(OutboxEvent.created_at)).where(_IS_PENDING))).one()
    return row[0], row[1]


async def prune(tx: "Transaction", before: datetime, limit: int) -> int:
    """Delete up to ``limit`` rows published before then; returns how many."""
    old = select(OutboxEvent.id).where(OutboxEvent.published_at < before).limit(limit)
    result = await tx.session.execute(delete(OutboxEvent).where(OutboxEvent.id.in_(old)).returning(OutboxEvent.id))
    return len(result.all())
