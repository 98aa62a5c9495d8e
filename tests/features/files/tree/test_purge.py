"""Purging: rows, quota and objects."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from metastore.features.files import repository
from metastore.features.files.content.cleanup import consumers
from metastore.features.files.models import Node
from metastore.features.files.tree.access import authorize_trashed
from metastore.features.files.tree.trash_queries import mark_purging
from metastore.kit.events.outbox import OutboxEvent, RecordedEvent
from metastore.kit.problems.problem import Problem
from tests.features.files.owner_tree import OwnerTree
from tests.fixtures.accounts import Storage, add_user
from tests.fixtures.waiting import eventually


async def rows(tree: OwnerTree) -> int:
    async with tree.database.reading() as tx:
        return (await tx.session.scalar(select(func.count()).select_from(Node))) or 0


async def reap(tree: OwnerTree, limit: int = 100, age: int = 3600) -> int:
    async with tree.database.transaction() as tx:
        before = tree.clock() - timedelta(seconds=age)
        return await tree.files.purge_expired_trash(tx, before=before, limit=limit)


async def test_purging_a_file_refunds_quota_and_records_its_object(tree: OwnerTree) -> None:
    file, kept = await tree.file("a.txt", size=7), await tree.file("b.txt", size=11)
    await tree.trash(file)
    await tree.purge(file.id)
    assert await tree.storage() == Storage(used=11, reserved=0)
    assert await tree.trashed() == []
    event = (await tree.events("file.purged"))[0]
    assert event.aggregate == f"file:{file.id}"
    assert event.payload == {
        "fileId": file.id,
        "ownerId": tree.owner,
        "name": "a.txt",
        "size": 7,
        "status": "READY",
        "objectKey": f"files/{file.id}",
        "derivedKeys": [],
    }
    assert (await tree.get(kept.id)).name == "b.txt"
    with pytest.raises(Problem, match="404"):
        await tree.purge(file.id)


async def test_only_trash_roots_can_be_purged(tree: OwnerTree) -> None:
    file = await tree.file()
    with pytest.raises(Problem, match="404"):
        await tree.purge(file.id)
    await tree.purge()
    assert (await tree.get(file.id)).name == "a.txt"


async def test_a_folder_is_purged_with_everything_trashed_along_with_it(tree: OwnerTree) -> None:
    for number in range(3):
        await tree.file(f"{number}.txt", "/box/inner", size=10)
    early = await tree.file("early.txt", "/box/inner", size=100)
    await tree.trash(early)
    box = await tree.get_folder(str((await tree.page(path="/box"))["folder"]["id"]))  # type: ignore[index, call-overload]  # JSON
    await tree.trash(box)
    await tree.purge(box.id)
    assert await tree.storage() == Storage(used=100, reserved=0)
    assert len(await tree.events("file.purged")) == 3
    assert len(await tree.events("folder.purged")) == 2
    assert await tree.trashed() == ["early.txt"]
    assert await rows(tree) == 1


async def test_emptying_the_trash_leaves_live_nodes_alone(tree: OwnerTree) -> None:
    await tree.file("kept.txt", "/kept", size=1)
    for number in range(3):
        await tree.trash(await tree.file(f"{number}.txt", size=10))
    box = (await tree.file("a.txt", "/box", size=10)).parent_id
    await tree.trash(await tree.get_folder(str(box)))
    await tree.purge()
    assert await tree.storage() == Storage(used=1, reserved=0)
    assert await rows(tree) == 2
    await tree.purge()


async def test_purging_an_uploading_file_keeps_its_reservation(tree: OwnerTree) -> None:
    node = await tree.begin(size=9)
    await tree.trash(node)
    await tree.purge(node.id)
    assert await tree.storage() == Storage(used=0, reserved=9)
    payload = (await tree.events("file.purged"))[0].payload
    assert (payload["status"], payload["objectKey"]) == ("UPLOADING", None)
    with pytest.raises(Problem, match="404"):
        await tree.finish(node)


async def test_a_large_tree_is_hidden_at_once_and_purged_in_batches(tree: OwnerTree) -> None:
    box = await tree.folder("box")
    await tree.add_rows(25, parent_id=box.id, size=0)
    await tree.trash(box)
    async with tree.database.transaction() as tx:
        await mark_purging(tx, box.id)
    assert await tree.trashed() == []
    for attempt in (tree.restore(box.id), tree.purge(box.id)):
        with pytest.raises(Problem, match="404"):
            await attempt
    assert [await reap(tree, 10), await reap(tree, 10), await reap(tree, 10)] == [10, 10, 6]
    assert await rows(tree) == 0
    assert await reap(tree, 10) == 0


async def test_expired_trash_of_every_owner_is_purged(tree: OwnerTree) -> None:
    first = tree.owner
    await tree.trash(await tree.file("old.txt", size=3))
    tree.owner = await add_user(tree.database)
    await tree.trash(await tree.file("theirs.txt", size=4))
    tree.clock.forward(3601)
    await tree.trash(await tree.file("new.txt", size=5))
    assert await reap(tree) == 2
    assert await reap(tree) == 0
    assert await tree.trashed() == ["new.txt"]
    assert (await tree.storage()).used == 5
    tree.owner = first
    assert (await tree.storage()).used == 0


async def test_purging_expired_trash_locks_the_owner_first(tree: OwnerTree) -> None:
    """Otherwise the purge and a restore could deadlock."""
    file = await tree.file("old.txt", size=3)
    await tree.trash(file)
    tree.clock.forward(3601)
    async with tree.database.transaction() as tx:
        await repository.lock_owner(tx, tree.owner)
        purge = asyncio.create_task(reap(tree))
        if tx.dialect == "postgresql":
            await eventually(lambda: is_waiting_for_a_lock(tree), why="the purge waits for the owner's row")
        await tree.files.restore(tx, await authorize_trashed(tx, tree.caller, file.id))
    assert await purge == 0
    assert await tree.trashed() == []


async def is_waiting_for_a_lock(tree: OwnerTree) -> bool:
    """Return whether a statement waits for a lock."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    async with tree.database.reading() as tx:
        return bool(await tx.session.scalar(waiting))


async def test_the_consumer_deletes_the_object_and_tolerates_redelivery(tree: OwnerTree) -> None:
    node, uploading = await tree.begin("a"), await tree.begin("b")
    tree.store.objects = {f"files/{node.id}": b"hello", "files/other": b"hello"}
    await tree.trash(await tree.finish(node))
    await tree.trash(uploading)
    await tree.purge()
    (consumer,) = consumers(tree.store)
    for event in await tree.events("file.purged"):
        for _ in range(2):
            await consumer.outside["file.purged"](recorded(event))
    assert list(tree.store.objects) == ["files/other"]


def recorded(event: OutboxEvent) -> RecordedEvent:
    return RecordedEvent(event.id, event.event_type, event.aggregate, event.payload, event.headers, event.created_at)
