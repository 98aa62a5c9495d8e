"""Positions: the order in which events were published, for consumers that share the outbox's database.

Publishing there is one statement that gives each event of a batch the next positions. A consumer handles the events
after its own position and moves it in the transaction of their effect: the position is the proof that an event has
taken effect once. No row is written for a consumer and event.

Ids and sequences are not in commit order. Positions are: giving them locks the row that counts them until the commit.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from pydantic import JsonValue
from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    Integer,
    String,
    bindparam,
    func,
    insert,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from metastore.kit.clock import utc_now
from metastore.kit.database.command import Change, Command, Id
from metastore.kit.database.inserts import insert_into
from metastore.kit.database.query import Query, one_of
from metastore.kit.database.tables import Base, UtcDateTime, table_of
from metastore.kit.database.unit_of_work import Transaction
from metastore.kit.events.outbox import PUBLISHED, OutboxEvent, RecordedEvent

_COUNTER = ""
"""The name of the row that holds the last position given."""


class ConsumerPosition(Base):
    """The position up to which a consumer has handled all events, or has queued them for a retry."""

    __tablename__ = "consumer_positions"

    consumer: Mapped[str] = mapped_column(String(50), primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger)


class _Position(NamedTuple):
    position: int


class _PublishedRow(NamedTuple):
    position: int
    id: str
    event_type: str
    aggregate: str
    payload: dict[str, JsonValue]
    headers: dict[str, str]
    created_at: datetime


_POSITIONS = table_of(ConsumerPosition).c


def _raise_counter(dialect: str) -> Change:
    inserting = insert_into(table_of(ConsumerPosition), dialect).values(consumer=_COUNTER, position=bindparam("count"))
    raised = {"position": _POSITIONS.position + bindparam("count")}
    return inserting.on_conflict_do_update(index_elements=["consumer"], set_=raised).returning(_POSITIONS.position)


_RAISE_COUNTER = Command(_Position, _raise_counter)
_PUBLISH = """
UPDATE outbox_events
   SET status = 'published', published_at = :now, retry_at = NULL, attempts = attempts + 1,
       position = :before + given.number
  FROM {given}
 WHERE outbox_events.id = given.id AND outbox_events.position IS NULL
RETURNING outbox_events.id
"""
_NOW = bindparam("now", type_=UtcDateTime())
_PUBLISH_BY_DIALECT: dict[str, Change] = {
    "sqlite": text(
        _PUBLISH.format(given="(SELECT value AS id, key + 1 AS number FROM json_each(:ids)) AS given")
    ).bindparams(_NOW, bindparam("ids", type_=JSON)),
    "postgresql": text(_PUBLISH.format(given="unnest(:ids) WITH ORDINALITY AS given (id, number)")).bindparams(
        _NOW, bindparam("ids", type_=ARRAY(String))
    ),
}
_MARK_PUBLISHED = Command(Id, lambda dialect: _PUBLISH_BY_DIALECT[dialect])
_ADVANCE = Command(
    _Position,
    update(table_of(ConsumerPosition))
    .where(_POSITIONS.consumer == bindparam("name"), _POSITIONS.position == bindparam("from_position"))
    .values(position=bindparam("to_position"))
    .returning(_POSITIONS.position),
)
_OF_CONSUMER = Query(_Position, select(_POSITIONS.position).where(_POSITIONS.consumer == bindparam("name")))
_OUTBOX = table_of(OutboxEvent).c
_AFTER = (
    select(*(_OUTBOX[name] for name in _PublishedRow._fields))
    .where(_OUTBOX.position > bindparam("position", type_=BigInteger))
    .order_by(_OUTBOX.position)
    .limit(bindparam("limit", type_=Integer))
)
_PUBLISHED = Query(_PublishedRow, _AFTER)
_PUBLISHED_OF_TYPES = Query(_PublishedRow, lambda dialect: _AFTER.where(one_of(_OUTBOX.event_type, "types", dialect)))
_LAST = select(ConsumerPosition.position).where(ConsumerPosition.consumer == _COUNTER)


async def publish(tx: Transaction, events: Sequence[RecordedEvent]) -> tuple[int, bool]:
    """Mark events as published and give them the next positions, in this order.

    Events that have a position keep it; events that are not in the outbox are added. Return the position before the
    first one, and whether every event got its position just now.
    """
    before = (await tx.execute(_RAISE_COUNTER, count=len(events)))[0].position - len(events)
    ids = [event.id for event in events]
    if len(await tx.execute(_MARK_PUBLISHED, now=utc_now(), before=before, ids=ids)) == len(events):
        return before, True
    known_ids = (
        update(OutboxEvent)
        .where(OutboxEvent.id.in_(ids))
        .values(status=PUBLISHED, published_at=func.coalesce(OutboxEvent.published_at, utc_now()))
        .returning(OutboxEvent.id)
        .execution_options(synchronize_session=False)
    )
    known = set(await tx.session.scalars(known_ids))
    await _add(tx, [(before + n, event) for n, event in enumerate(events, 1) if event.id not in known])
    return before, False


async def register(tx: Transaction, consumers: Sequence[str]) -> None:
    """Let new consumers begin after the last position given. Known ones keep their position."""
    last = func.coalesce(_LAST.scalar_subquery(), 0)
    for consumer in consumers:
        row = select(literal(consumer), last).where(literal(value=True))
        await tx.session.execute(
            insert_into(ConsumerPosition, tx.dialect)
            .from_select(["consumer", "position"], row)
            .on_conflict_do_nothing()
        )


async def last_position(tx: Transaction) -> int:
    """Return the last position given, or 0."""
    return await position_of(tx, _COUNTER) or 0


async def position_of(tx: Transaction, consumer: str) -> int | None:
    """Return the position of a consumer, or ``None`` if it is not registered."""
    found = await tx.fetch_first(_OF_CONSUMER, name=consumer)
    return found.position if found else None


async def advance(tx: Transaction, consumer: str, start: int, end: int) -> bool:
    """Move a consumer from position ``start`` to ``end``. Return ``False`` when it is elsewhere.

    A concurrent process that moves the same consumer waits here, and then finds it elsewhere.
    """
    return bool(await tx.execute(_ADVANCE, name=consumer, from_position=start, to_position=end))


async def published_after(
    tx: Transaction, position: int, event_types: frozenset[str], limit: int
) -> list[tuple[int, RecordedEvent]]:
    """Return the first ``limit`` events after a position with their positions; no types means all."""
    parameters: dict[str, object] = {"position": position, "limit": limit}
    if event_types:
        rows = await tx.fetch(_PUBLISHED_OF_TYPES, **parameters, types=sorted(event_types))
    else:
        rows = await tx.fetch(_PUBLISHED, **parameters)
    return [(row.position, RecordedEvent(*row[1:])) for row in rows]


async def slowest_position(tx: Transaction, consumers: Sequence[str]) -> int | None:
    """Return the lowest position of these consumers, or ``None`` if none of them has one."""
    positions = select(func.min(ConsumerPosition.position)).where(ConsumerPosition.consumer.in_(consumers))
    return await tx.session.scalar(positions)


async def _add(tx: Transaction, events: Sequence[tuple[int, RecordedEvent]]) -> None:
    rows = [
        {
            "id": event.id,
            "event_type": event.event_type,
            "aggregate": event.aggregate,
            "payload": event.payload,
            "headers": event.headers,
            "status": PUBLISHED,
            "attempts": 1,
            "created_at": event.created_at,
            "published_at": utc_now(),
            "position": position,
        }
        for position, event in events
    ]
    if rows:
        await tx.session.execute(insert(OutboxEvent), rows)
