"""Copy and verify every row."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Table, select, update

from metastore.kit.clock import utc_now
from metastore.kit.database.tables import Base
from metastore.kit.database.unit_of_work import Database, Transaction
from metastore.kit.events.inbox import InboxEvent
from metastore.kit.events.outbox import PENDING, OutboxEvent
from metastore.processes.move import rows
from metastore.processes.move.target import MoveRefusedError, all_tables

_APPEND_ONLY = frozenset({"audit_logs"})
"""Tables whose rows the database does not allow to be changed."""
_QUEUE = "queued_events"
"""The table of the in-process bus's queues. Its events return to the outbox instead of being copied."""


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
    """Return the events in the queues of the in-process bus to the outbox; return the number of deliveries.

    From the outbox, an event is delivered to all ``consumers``. Those without a queued delivery of it have handled it,
    perhaps so long ago that their inbox entry was pruned. The entry is written again, so that the event has no second
    effect.
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
        await _write_to_outbox(target, list(events.values()), handled)
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


async def _write_to_outbox(target: Database, events: Sequence[rows.Row], handled: Sequence[rows.Row]) -> None:
    outbox = Base.metadata.tables[OutboxEvent.__tablename__]
    ids = [event["event_id"] for event in events]
    async with target.transaction() as tx:
        existing = await rows.rows_of(tx, outbox, [(event_id,) for event_id in ids])
        fresh = [_outbox_row(outbox, event) for event in events if (event["event_id"],) not in existing]
        if fresh:
            await rows.write(tx, outbox, fresh, replace=False)
        if handled:
            await rows.write(tx, Base.metadata.tables[InboxEvent.__tablename__], handled, replace=False)
        pending = update(OutboxEvent).where(OutboxEvent.id.in_(ids))
        await tx.session.execute(pending.values(status=PENDING, published_at=None, attempts=0))


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
