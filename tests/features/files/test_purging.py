"""Things gone for good: rows, quota and bytes."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from metastore.features.files import repository, trash
from metastore.features.files.consumers import consumers
from metastore.features.files.models import Node
from metastore.kit.outbox import OutboxEvent, RecordedEvent
from metastore.kit.problem import Problem
from tests.features.files.grove import Grove
from tests.fixtures.accounts import Storage, add_user
from tests.fixtures.waiting import eventually


async def rows(grove: Grove) -> int:
    async with grove.database.reading() as tx:
        return (await tx.session.scalar(select(func.count()).select_from(Node))) or 0


async def reap(grove: Grove, limit: int = 100, age: int = 3600) -> int:
    async with grove.database.transaction() as tx:
        before = grove.clock() - timedelta(seconds=age)
        return await grove.files.purge_expired_trash(tx, before=before, limit=limit)


async def test_a_purged_file_gives_its_bytes_back_and_says_where_they_are(grove: Grove) -> None:
    file, kept = await grove.file("a.txt", size=7), await grove.file("b.txt", size=11)
    await grove.trash(file)
    await grove.purge(file.id)
    assert await grove.storage() == Storage(used=11, reserved=0)
    assert await grove.trashed() == []
    fact = (await grove.facts("file.purged"))[0]
    assert fact.aggregate == f"file:{file.id}"
    assert fact.payload == {
        "fileId": file.id,
        "ownerId": grove.owner,
        "name": "a.txt",
        "size": 7,
        "status": "READY",
        "objectKey": f"files/{file.id}",
        "derivedKeys": [],
    }
    assert (await grove.get(kept.id)).name == "b.txt"
    with pytest.raises(Problem, match="404"):
        await grove.purge(file.id)


async def test_only_what_lies_in_the_trash_can_be_purged(grove: Grove) -> None:
    file = await grove.file()
    with pytest.raises(Problem, match="404"):
        await grove.purge(file.id)
    await grove.purge()
    assert (await grove.get(file.id)).name == "a.txt"


async def test_a_folder_is_purged_with_all_that_went_along_and_nothing_else(grove: Grove) -> None:
    for number in range(3):
        await grove.file(f"{number}.txt", "/box/inner", size=10)
    early = await grove.file("early.txt", "/box/inner", size=100)
    await grove.trash(early)
    box = await grove.get_folder(str((await grove.page(path="/box"))["folder"]["id"]))  # type: ignore[index, call-overload]  # JSON
    await grove.trash(box)
    await grove.purge(box.id)
    assert await grove.storage() == Storage(used=100, reserved=0)
    assert len(await grove.facts("file.purged")) == 3
    assert len(await grove.facts("folder.purged")) == 2
    assert await grove.trashed() == ["early.txt"]
    assert await rows(grove) == 1


async def test_emptying_the_trash_leaves_only_what_is_alive(grove: Grove) -> None:
    await grove.file("kept.txt", "/kept", size=1)
    for number in range(3):
        await grove.trash(await grove.file(f"{number}.txt", size=10))
    box = (await grove.file("a.txt", "/box", size=10)).parent_id
    await grove.trash(await grove.get_folder(str(box)))
    await grove.purge()
    assert await grove.storage() == Storage(used=1, reserved=0)
    assert await rows(grove) == 2
    await grove.purge()


async def test_a_file_that_is_coming_in_leaves_its_reservation_to_its_upload(grove: Grove) -> None:
    node = await grove.begin(size=9)
    await grove.trash(node)
    await grove.purge(node.id)
    assert await grove.storage() == Storage(used=0, reserved=9)
    payload = (await grove.facts("file.purged"))[0].payload
    assert (payload["status"], payload["objectKey"]) == ("UPLOADING", None)
    with pytest.raises(Problem, match="404"):
        await grove.finish(node)


async def test_a_large_tree_goes_in_bounded_steps_and_is_out_of_sight_at_once(grove: Grove) -> None:
    box = await grove.folder("box")
    await grove.add_rows(25, parent_id=box.id, size=0)
    await grove.trash(box)
    async with grove.database.transaction() as tx:
        await trash.give_up(tx, grove.owner, box.id)
    assert await grove.trashed() == []
    for attempt in (grove.restore(box.id), grove.purge(box.id)):
        with pytest.raises(Problem, match="404"):
            await attempt
    assert [await reap(grove, 10), await reap(grove, 10), await reap(grove, 10)] == [10, 10, 6]
    assert await rows(grove) == 0
    assert await reap(grove, 10) == 0


async def test_trash_that_lay_too_long_is_purged_whoever_it_belongs_to(grove: Grove) -> None:
    first = grove.owner
    await grove.trash(await grove.file("old.txt", size=3))
    grove.owner = await add_user(grove.database)
    await grove.trash(await grove.file("theirs.txt", size=4))
    grove.clock.forward(3601)
    await grove.trash(await grove.file("new.txt", size=5))
    assert await reap(grove) == 2
    assert await reap(grove) == 0
    assert await grove.trashed() == ["new.txt"]
    assert (await grove.storage()).used == 5
    grove.owner = first
    assert (await grove.storage()).used == 0


async def test_the_purge_of_old_trash_waits_for_its_owner_before_it_touches_anything(grove: Grove) -> None:
    """Else it and a restore could each hold what the other needs."""
    file = await grove.file("old.txt", size=3)
    await grove.trash(file)
    grove.clock.forward(3601)
    async with grove.database.transaction() as tx:
        await repository.lock_owner(tx, grove.owner)
        purge = asyncio.create_task(reap(grove))
        if tx.dialect == "postgresql":
            await eventually(lambda: someone_waits(grove), why="the purge asks for the owner")
        await grove.files.restore(tx, grove.owner, file.id)
    assert await purge == 0
    assert await grove.trashed() == []


async def someone_waits(grove: Grove) -> bool:
    """Whether a statement waits for a lock."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    async with grove.database.reading() as tx:
        return bool(await tx.session.scalar(waiting))


async def test_the_object_is_deleted_once_the_fact_arrives_and_again_does_no_harm(grove: Grove) -> None:
    node, coming = await grove.begin("a"), await grove.begin("b")
    grove.store.objects = {f"files/{node.id}": b"hello", "files/other": b"hello"}
    await grove.trash(await grove.finish(node))
    await grove.trash(coming)
    await grove.purge()
    (consumer,) = consumers(grove.store)
    for event in await grove.facts("file.purged"):
        for _ in range(2):
            await consumer.outside["file.purged"](recorded(event))
    assert list(grove.store.objects) == ["files/other"]


def recorded(event: OutboxEvent) -> RecordedEvent:
    return RecordedEvent(event.id, event.event_type, event.aggregate, event.payload, event.headers, event.created_at)
