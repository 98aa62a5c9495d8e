"""Copying every row, and making sure of it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Table, select, update

from metastore.kit.clock import utc_now
from metastore.kit.database import Database, Transaction
from metastore.kit.inbox import InboxEvent
from metastore.kit.outbox import PENDING, OutboxEvent
from metastore.kit.tables import Base
from metastore.processes.move import rows
from metastore.processes.move.target import MoveRefusedError, all_tables

_APPEND_ONLY = frozenset({"audit_logs"})
"""Tables that the database itself lets nobody change."""
_QUEUE = "queued_events"
"""The embedded bus's own, whose rows go back to the outbox."""


@dataclass(frozen=True, slots=True)
class Copied:
    """A table that is whole in its new place."""

    table: str
    rows: int


def carried_tables() -> list[Table]:
    """The tables whose rows go over as they are."""
    return [table for table in all_tables() if table.name != _QUEUE]


async def copy_table(source: Database, target: Database, table: Table) -> Copied:
    """Make ``target`` hold the same rows as ``source``, and prove it.

    Raises:
        MoveRefusedError: it cannot be made so.
    """
    replace = table.name not in _APPEND_ONLY
    async for page in rows.pages(source, table):
        async with target.transaction() as tx:
            await rows.write(tx, table, page, replace=replace)
    if replace:
        await _remove_others(source, target, table)
    return Copied(table.name, await _prove(source, target, table))


async def requeue(source: Database, target: Database, consumers: Collection[str] = ()) -> int:
    """Put what waits in the embedded bus's queues back into the outbox; how many deliveries those were.

    From there an event goes to all ``consumers``. Those in whose queues it does not wait have dealt with it, maybe so
    long ago that the inbox has forgotten; it is noted there anew, so that the event has no second effect.
    """
    queue = Base.metadata.tables.get(_QUEUE)
    if queue is None:
        return 0
    waiting = 0
    async for page in rows.pages(source, queue):
        waiting += len(page)
        events = {row["event_id"]: row for row in page}
        async with source.reading() as tx:
            handled = await _handled(tx, queue, list(events), consumers)
        await _record_again(target, list(events.values()), handled)
    return waiting


async def _handled(tx: Transaction, queue: Table, ids: Sequence[str], consumers: Collection[str]) -> list[rows.Row]:
    found = await tx.session.execute(select(queue.c.consumer, queue.c.event_id).where(queue.c.event_id.in_(ids)))
    waiting = {(consumer, event_id) for consumer, event_id in found}
    return [
        {"consumer": consumer, "event_id": event_id, "handled_at": utc_now()}
        for event_id in ids
        for consumer in sorted(consumers)
        if (consumer, event_id) not in waiting
    ]


async def _record_again(target: Database, events: Sequence[rows.Row], handled: Sequence[rows.Row]) -> None:
    outbox = Base.metadata.tables[OutboxEvent.__tablename__]
    ids = [event["event_id"] for event in events]
    async with target.transaction() as tx:
        there = await rows.rows_of(tx, outbox, [(event_id,) for event_id in ids])
        fresh = [_as_recorded(outbox, event) for event in events if (event["event_id"],) not in there]
        if fresh:
            await rows.write(tx, outbox, fresh, replace=False)
        if handled:
            await rows.write(tx, Base.metadata.tables[InboxEvent.__tablename__], handled, replace=False)
        again = update(OutboxEvent).where(OutboxEvent.id.in_(ids))
        await tx.session.execute(again.values(status=PENDING, published_at=None, attempts=0))


def _as_recorded(outbox: Table, event: rows.Row) -> rows.Row:
    recorded: rows.Row = dict.fromkeys(column.name for column in outbox.columns)
    recorded |= {name: event[name] for name in ("event_type", "aggregate", "payload", "headers", "created_at")}
    return recorded | {"id": event["event_id"], "status": PENDING, "attempts": 0}


async def _remove_others(source: Database, target: Database, table: Table) -> None:
    """Rows that an earlier run copied and that the source has lost since."""
    async for page in rows.pages(target, table):
        keys = [rows.key_of(table, row) for row in page]
        async with source.reading() as tx:
            known = await rows.rows_of(tx, table, keys)
        others = [key for key in keys if key not in known]
        if others:
            async with target.transaction() as tx:
                await rows.remove(tx, table, others)


async def _prove(source: Database, target: Database, table: Table) -> int:
    counted = 0
    async for page in rows.pages(source, table):
        keys = [rows.key_of(table, row) for row in page]
        async with target.reading() as tx:
            arrived = await rows.rows_of(tx, table, keys)
        for key, row in zip(keys, page, strict=True):
            if key not in arrived or not rows.equal(table, row, arrived[key]):
                raise MoveRefusedError(f"the row {'/'.join(map(str, key))} of {table.name} is not the same in both")
        counted += len(page)
    if await rows.count(target, table) != counted:
        raise MoveRefusedError(f"the database has more rows in {table.name} than were moved")
    return counted
