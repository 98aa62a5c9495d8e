"""A move copies everything, between both kinds of database, however often it is interrupted."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select, text, update

from metastore.adapters.event_bus.inprocess import queue
from metastore.adapters.event_bus.inprocess.queue import QueuedEvent
from metastore.features.audit.models import AuditLog
from metastore.features.files.models import Node
from metastore.features.files.schemas import FolderPatch
from metastore.features.files.tree.access import authorize, authorize_folder, own_tree
from metastore.features.files.tree.rights import Right
from metastore.kit.clock import utc_now
from metastore.kit.database.unit_of_work import Database
from metastore.kit.events import inbox, outbox, positions
from metastore.kit.events.inbox import first_deliveries
from metastore.kit.events.outbox import OutboxEvent
from metastore.kit.idempotency.claims import IdempotencyKey
from metastore.kit.ids import new_id
from metastore.migrations import current, head
from metastore.processes.move.mover import Instance, MoveResult, abort_unfinished_uploads, move
from metastore.processes.move.target import MoveRefusedError
from tests.fixtures.events import event
from tests.fixtures.memory_store import MemoryObjectStore
from tests.fixtures.postgres import Postgres
from tests.fixtures.user_drive import Drive

CONTENT = b"twenty-five bytes of text"


class Target:
    """The target of a move: a new database of the other kind, and an empty store."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.database = Database(url)
        self.store = MemoryObjectStore()


@pytest.fixture
async def target(drive: Drive, postgres: Postgres, tmp_path: Path) -> AsyncIterator[Target]:
    sqlite = drive.database.dialect == "sqlite"
    target = Target(postgres.url(postgres.create_database()) if sqlite else f"sqlite+aiosqlite:///{tmp_path}/new.db")
    yield target
    await target.database.aclose()


async def moved(drive: Drive, target: Target) -> MoveResult:
    """Move everything to ``target``."""
    source, destination = Instance(drive.database, drive.store), Instance(target.database, target.store)
    return await move(source, destination, target.url, concurrency=3)


async def ready_file(drive: Drive, name: str = "ünï.txt") -> str:
    """Create a ready file; return its id."""
    upload = await drive.initiate(CONTENT, name=name)
    await drive.uploads.complete(drive.caller, upload.file_id, upload.upload_id, await drive.send(upload, CONTENT))
    return upload.file_id


async def fill(drive: Drive) -> None:
    """Create rows of every kind that is difficult to copy."""
    for number in range(3):
        await ready_file(drive, f"{number}.txt")
    async with drive.database.transaction() as tx:
        old = (await drive.files.create_folder(tx, own_tree(drive.caller), "old")).body
        young = (await drive.files.create_folder(tx, own_tree(drive.caller), "young")).body
    async with drive.database.transaction() as tx:
        # A folder inside one that was created after it.
        await drive.files.change_folder(
            tx,
            await authorize(tx, drive.caller, old.id, Right.EDIT),
            FolderPatch(parent_id=young.id),
            await authorize_folder(tx, drive.caller, young.id, Right.ADD),
        )
        now = utc_now()
        entry = {"details": {"null": None, "deep": [1, {"ü": "ñ"}]}, "action": "a", "resource": "r"}
        tx.session.add(AuditLog(id=new_id(), event_id=new_id(), occurred_at=now, **entry))
        key = {"owner": "o", "operation": "x", "fingerprint": "f", "state": "answered", "attempt": "1"}
        times = {"locked_until": now, "created_at": now}
        tx.session.add(IdempotencyKey(key="none", **key, **times, status=None, headers=None, body=None))
        tx.session.add(IdempotencyKey(key="bytes", **key, **times, status=200, headers={"a": "b"}, body=b"\x00\xff"))


async def test_every_row_and_object_is_copied(drive: Drive, target: Target) -> None:
    await fill(drive)
    outcome = await moved(drive, target)
    assert drive.store.objects == target.store.objects
    assert (3, 0, {}, []) == (outcome.objects.copied, outcome.requeued, outcome.objects.damaged, outcome.missing)
    counts = {copied.table: copied.rows for copied in outcome.tables}
    assert (1, 5, 1, 2) == tuple(counts[name] for name in ("users", "nodes", "audit_logs", "idempotency_keys"))
    assert head() == await current(target.url)
    async with target.database.reading() as tx:
        [entry] = await tx.session.scalars(select(AuditLog))
        assert {"null": None, "deep": [1, {"ü": "ñ"}]} == entry.details
        null = await tx.session.scalar(text("SELECT count(*) FROM idempotency_keys WHERE headers IS NULL"))
        assert await _nulls(drive) == null


async def _nulls(drive: Drive) -> int | None:
    async with drive.database.reading() as tx:
        found: int | None = await tx.session.scalar(text("SELECT count(*) FROM idempotency_keys WHERE headers IS NULL"))
        return found


async def test_an_interrupted_move_continues_with_the_current_source(drive: Drive, target: Target) -> None:
    """Rows deleted meanwhile are removed, changed rows are updated, and new objects are copied."""
    await fill(drive)
    target.store.fail_next["put"] = ConnectionError("cut off")
    with pytest.raises(ConnectionError):
        await moved(drive, target)
    target.store.fail_next["head"] = ConnectionError("cut off")
    with pytest.raises(ConnectionError):
        await moved(drive, target)
    gone = await ready_file(drive, "gone.txt")
    async with drive.database.transaction() as tx:
        await tx.session.execute(update(Node).where(Node.name == "1.txt").values(name="renamed.txt"))
        node = await tx.session.get(Node, gone)
        assert node is not None
        key = node.object_key
        await tx.session.delete(node)
    drive.store.objects.pop(key or "")
    await ready_file(drive, "new.txt")
    outcome = await moved(drive, target)
    assert drive.store.objects == target.store.objects
    assert [] == outcome.missing
    async with target.database.reading() as tx:
        names = set(await tx.session.scalars(select(Node.name).where(Node.kind == "file")))
    assert {"0.txt", "renamed.txt", "2.txt", "new.txt"} == names


async def test_no_product_starts_on_an_unfinished_target(drive: Drive, target: Target) -> None:
    await fill(drive)
    target.store.fail_next["put"] = ConnectionError("cut off")
    with pytest.raises(ConnectionError):
        await moved(drive, target)
    assert head() != await current(target.url)


async def test_queued_events_return_to_the_outbox(drive: Drive, target: Target) -> None:
    """So do events that were already published, and dead ones."""
    await ready_file(drive)
    async with drive.database.transaction() as tx:
        await tx.session.execute(update(OutboxEvent).values(status="published", published_at=utc_now()))
        published = (await tx.session.scalars(select(OutboxEvent))).first()
        assert published is not None
        for consumer, event_id in (("audit", published.id), ("files", published.id), ("audit", new_id())):
            values = {"event_type": "file.ready", "aggregate": "file:x", "payload": {"a": None}, "headers": {}}
            row = QueuedEvent(id=new_id(), consumer=consumer, event_id=event_id, **values, created_at=utc_now())
            row.dead_at = utc_now() if event_id != published.id else None
            tx.session.add(row)
    assert 3 == (await moved(drive, target)).requeued
    async with target.database.reading() as tx:
        pending = list(await tx.session.scalars(select(OutboxEvent).where(OutboxEvent.status == "pending")))
        assert [] == list(await tx.session.scalars(select(QueuedEvent)))
    assert 2 == len(pending)
    assert published.id in {event.id for event in pending}


async def test_published_events_return_for_the_consumers_that_have_yet_to_handle_them(
    drive: Drive, target: Target
) -> None:
    """For the others they count as handled; who failed on an event has not handled it."""
    await ready_file(drive)
    events = [event(number=number) for number in range(3)]
    async with drive.database.transaction() as tx:
        await positions.register(tx, ["ahead", "behind"])
        before, _ = await positions.publish(tx, events)
        await positions.advance(tx, "ahead", before, before + 3)
        await positions.advance(tx, "behind", before, before + 1)
        await queue.enqueue(tx, [("ahead", events[2])], queue.Failure("failed", utc_now()))
    source = Instance(drive.database, drive.store, frozenset({"ahead", "behind"}))
    result = await move(source, Instance(target.database, target.store), target.url, concurrency=3)
    assert 3 == result.requeued
    async with target.database.transaction() as tx:
        pending = await outbox.pending_events(tx, 100)
        assert events[1:] == [each for each in pending if each.event_type == "sample.recorded"]
        assert {events[1].id} == await inbox.handled(tx, "ahead", [each.id for each in events[1:]])
        assert set() == await inbox.handled(tx, "behind", [each.id for each in events[1:]])


async def test_an_event_dead_for_one_consumer_has_no_second_effect_on_the_others(drive: Drive, target: Target) -> None:
    """Not even if it is so old that its inbox entries were purged."""
    dead, waiting = new_id(), new_id()
    async with drive.database.transaction() as tx:
        for consumer, event_id in (("audit", dead), ("audit", waiting), ("analytics", waiting)):
            values = {"event_type": "file.ready", "aggregate": "file:x", "payload": {}, "headers": {}}
            row = QueuedEvent(id=new_id(), consumer=consumer, event_id=event_id, **values, created_at=utc_now())
            row.dead_at = utc_now() if event_id == dead else None
            tx.session.add(row)
    source = Instance(drive.database, drive.store, frozenset({"audit", "analytics", "indexing"}))
    await move(source, Instance(target.database, target.store), target.url, concurrency=3)
    handled = set()
    for event_id in (dead, waiting):
        for consumer in source.consumers:
            async with target.database.transaction() as tx:
                if await first_deliveries(tx, consumer, [event_id]):
                    handled.add((consumer, event_id))
    assert {("audit", dead), ("audit", waiting), ("analytics", waiting)} == handled


async def test_unfinished_uploads_are_refused_or_aborted(drive: Drive, target: Target) -> None:
    await ready_file(drive)
    await drive.initiate(CONTENT, name="unfinished.txt")
    with pytest.raises(MoveRefusedError, match="1 uploads are unfinished"):
        await moved(drive, target)
    assert 1 == await abort_unfinished_uploads(drive.database, drive.uploads)
    assert {} == drive.store.multiparts
    await moved(drive, target)
    assert 0 == (await drive.storage()).reserved


async def test_earlier_damage_is_reported(drive: Drive, target: Target) -> None:
    file_id = await ready_file(drive)
    drive.store.objects.clear()
    assert [file_id] == (await moved(drive, target)).missing


async def test_a_target_that_is_not_empty_is_refused(drive: Drive, target: Target) -> None:
    await ready_file(drive)
    target.store.objects["files/theirs"] = b"theirs"
    with pytest.raises(MoveRefusedError, match="objects of its own"):
        await moved(drive, target)
    target.store.objects.clear()
    await moved(drive, target)
    with pytest.raises(MoveRefusedError, match="not empty"):
        await moved(drive, target)
