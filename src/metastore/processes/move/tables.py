"""Copy and verify every row."""

import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Table, select, update

from metastore.kit.clock import utc_now
from metastore.kit.database.tables import Base
from metastore.kit.database.unit_of_work import Database, Transaction
from metastore.kit.events import positions
from metastore.kit.events.inbox import InboxEvent
from metastore.kit.events.outbox import PENDING, OutboxEvent
from metastore.processes.move import rows
from metastore.processes.move.target import MoveRefusedError, all_tables

_APPEND_ONLY = frozenset({"audit_logs"})
"""Tables whose rows the database does not allow to be changed."""
_QUEUE = "queued_events"
"""The table of the in-process bus's queues. Its events return to the outbox instead of being copied."""

_PAGE = 200


@dataclass(frozen=True, slots=True)
class CopiedTable:
    """A table that was copied and verified, and its number of rows."""

    table: str
    rows: int


def tables_to_copy() -> list[Table]:
    """Return the tables whose rows are copied unchanged."""
    return [table for table in all_tables() if table.name != _QUEUE]


async def copy_table(source: Database, target: Database, table: Table) -> CopiedTable:
    """Make the table in ``target`` equal to that in ``source``, and verify it.

    Raises:
        MoveRefusedError: the tables still differ.
    """
    replace = table.name not in _APPEND_ONLY
    async for page in rows.pages(source, table):
        async with target.transaction() as tx:
            await rows.write(tx, table, page, replace=replace)
    if replace:
        await _delete_surplus_rows(source, target, table)
    return CopiedTable(table.name, await _verify(source, target, table))


async def requeue_events(source: Database, target: Database, consumers: Collection[str] = ()) -> int:
    """Return the events that the in-process bus has yet to deliver to the outbox; return the number of deliveries.

    From the outbox, an event is delivered to
    all ``consumers``. Those without an outstanding delivery of it have handled it, perhaps so long ago that their inbox
    entry was pruned. The entry is written again, so that the event has no second effect.
    """
    async with source.reading() as tx:
        last = await positions.last_position(tx)
        found = {consumer: await positions.position_of(tx, consumer) for consumer in sorted(consumers)}
    reached = {consumer: last if position is None else position for consumer, position in found.items()}
    waiting = await _requeue_published(source, target, reached)
    async for page in rows.pages(source, Base.metadata.tables[_QUEUE]):
        waiting += len(page)
        events = {row["event_id"]: row for row in page}
        async with source.reading() as tx:
            handled = await _handled(tx, list(events), reached)
        await _write_to_outbox(target, list(events.values()), handled)
    return waiting


async def _requeue_published(source: Database, target: Database, reached: Mapping[str, int]) -> int:
    """Make published events pending that some consumer has yet to come to; they have been copied as published."""
    waiting = 0
    after = min(reached.values(), default=sys.maxsize)
    while True:
        async with source.reading() as tx:
            page = await positions.published_after(tx, after, frozenset(), _PAGE)
            ids = [event.id for _, event in page]
            handled = await _handled(tx, ids, reached)
        if not page:
            return waiting
        after = page[-1][0]
        waiting += sum(position > at for position, _ in page for at in reached.values())
        async with target.transaction() as tx:
            await _make_pending(tx, ids, handled)


async def _handled(tx: Transaction, ids: Sequence[str], reached: Mapping[str, int]) -> list[rows.Row]:
    """Return inbox rows for the consumers that have handled these events; ``reached`` has their positions."""
    queue = Base.metadata.tables[_QUEUE].c
    queued = await tx.session.execute(select(queue.consumer, queue.event_id).where(queue.event_id.in_(ids)))
    waiting = {(consumer, event_id) for consumer, event_id in queued}
    published = await tx.session.execute(select(OutboxEvent.id, OutboxEvent.position).where(OutboxEvent.id.in_(ids)))
    position_of = {event_id: position or 0 for event_id, position in published}
    return [
        {"consumer": consumer, "event_id": event_id, "handled_at": utc_now()}
        for event_id in ids
        for consumer, position in reached.items()
        if (consumer, event_id) not in waiting and position_of.get(event_id, 0) <= position
    ]


async def _write_to_outbox(target: Database, events: Sequence[rows.Row], handled: Sequence[rows.Row]) -> None:
    outbox = Base.metadata.tables[OutboxEvent.__tablename__]
    ids = [event["event_id"] for event in events]
    async with target.transaction() as tx:
        existing = await rows.rows_of(tx, outbox, [(event_id,) for event_id in ids])
        fresh = [_outbox_row(outbox, event) for event in events if (event["event_id"],) not in existing]
        if fresh:
            await rows.write(tx, outbox, fresh, replace=False)
        await _make_pending(tx, ids, handled)


async def _make_pending(tx: Transaction, ids: Sequence[str], handled: Sequence[rows.Row]) -> None:
    if handled:
        await rows.write(tx, Base.metadata.tables[InboxEvent.__tablename__], handled, replace=False)
    pending = update(OutboxEvent).where(OutboxEvent.id.in_(ids))
    await tx.session.execute(pending.values(status=PENDING, published_at=None, attempts=0, position=None))


def _outbox_row(outbox: Table, event: rows.Row) -> rows.Row:
    recorded: rows.Row = dict.fromkeys(column.name for column in outbox.columns)
    recorded |= {name: event[name] for name in ("event_type", "aggregate", "payload", "headers", "created_at")}
    return recorded | {"id": event["event_id"], "status": PENDING, "attempts": 0}


async def _delete_surplus_rows(source: Database, target: Database, table: Table) -> None:
    """Delete rows that an earlier run copied and that the source no longer has."""
    async for page in rows.pages(target, table):
        keys = [rows.key_of(table, row) for row in page]
        async with source.reading() as tx:
            known = await rows.rows_of(tx, table, keys)
        surplus = [key for key in keys if key not in known]
        if surplus:
            async with target.transaction() as tx:
                await rows.remove(tx, table, surplus)


async def _verify(source: Database, target: Database, table: Table) -> int:
    counted = 0
    async for page in rows.pages(source, table):
        keys = [rows.key_of(table, row) for row in page]
        async with target.reading() as tx:
            copied = await rows.rows_of(tx, table, keys)
        for key, row in zip(keys, page, strict=True):
            if key not in copied or not rows.equal(table, row, copied[key]):
                raise MoveRefusedError(
                    f"the row {'/'.join(map(str, key))} of {table.name} differs between the databases"
                )
        counted += len(page)
    if await rows.count(target, table) != counted:
        raise MoveRefusedError(f"the target has additional rows in {table.name}")
    return counted
