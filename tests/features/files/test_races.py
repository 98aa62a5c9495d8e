"""What holds when many requests come at once."""

import asyncio
import random
from collections.abc import Awaitable

from sqlalchemy import select

from metastore.features.auth import quota
from metastore.features.files import trash
from metastore.features.files.models import Node
from metastore.kit.problem import Problem
from tests.features.files.grove import Grove, items_of
from tests.fixtures.accounts import Storage


async def outcomes(*attempts: Awaitable[object]) -> list[str]:
    """``ok`` or the problem's code for each attempt; anything else fails the test."""
    results = await asyncio.gather(*attempts, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, Problem):
            raise result
    return [result.code if isinstance(result, Problem) else "ok" for result in results]


async def assert_sound(grove: Grove) -> None:
    """Every living node reaches the root over living folders."""
    async with grove.database.reading() as tx:
        nodes = {node.id: node for node in await tx.session.scalars(select(Node))}
    for node in nodes.values():
        seen, here = set(), node
        while node.trashed_at is None and here.parent_id is not None:
            assert here.id not in seen, "a folder lies below itself"
            seen.add(here.id)
            here = nodes[here.parent_id]
            assert here.trashed_at is None, "something alive lies in the trash"


async def test_twins_that_arrive_at_once_all_get_a_name(grove: Grove) -> None:
    nodes = await asyncio.gather(*(grove.begin("a.txt", "/new/folder") for _ in range(12)))
    expected = {"a.txt", *(f"a ({number}).txt" for number in range(1, 12))}
    assert {node.name for node in nodes} == expected
    assert len({node.parent_id for node in nodes}) == 1
    assert len(await grove.facts("folder.created")) == 2


async def test_of_folders_with_one_name_made_at_once_one_is_made(grove: Grove) -> None:
    results = await outcomes(*(grove.folder("box") for _ in range(8)))
    assert sorted(results) == ["name-taken"] * 7 + ["ok"]


async def test_of_two_folders_moved_into_each_other_at_once_one_stays(grove: Grove) -> None:
    for _ in range(10):
        a, b = await grove.folder("a"), await grove.folder("b")
        results = await outcomes(grove.change_folder(a.id, parentId=b.id), grove.change_folder(b.id, parentId=a.id))
        assert sorted(results) == ["move-into-itself", "ok"]
        await assert_sound(grove)
        top = a if results[1] == "ok" else b
        await grove.trash(top)
        await grove.purge(top.id)


async def test_a_ring_of_moves_never_closes(grove: Grove) -> None:
    folders = [await grove.folder(str(number)) for number in range(5)]
    moves = [(one, other) for one in folders for other in folders if one is not other]
    random.Random(7).shuffle(moves)
    await outcomes(*(grove.change_folder(one.id, parentId=other.id) for one, other in moves))
    await assert_sound(grove)


async def test_a_file_never_lands_in_a_folder_that_is_put_away_meanwhile(grove: Grove) -> None:
    for _ in range(10):
        box = await grove.folder("box")
        await outcomes(
            grove.begin("a.txt", "/box"), grove.trash(box), grove.folder("inner", box.id), grove.file("b", "/box")
        )
        await assert_sound(grove)
        for folder_id in await folder_ids(grove):
            await grove.trash(await grove.get_folder(str(folder_id)))
        await grove.purge()
        assert await grove.names() == []
    storage = await grove.storage()
    assert storage.used == 0


async def folder_ids(grove: Grove) -> list[object]:
    return [item["id"] for item in items_of(await grove.page())]


async def test_a_file_that_arrives_while_it_is_purged_is_counted_exactly(grove: Grove) -> None:
    for _ in range(10):
        node = await grove.begin(size=10)
        await grove.trash(node)
        finished, purged = await outcomes(grove.finish(node), grove.purge(node.id))
        assert purged == "ok"
        assert finished in ("ok", "not-found")
        reserved = 0 if finished == "ok" else 10
        assert await grove.storage() == Storage(used=0, reserved=reserved)
        assert await grove.trashed() == []
        if reserved:
            await give_back(grove, reserved)


async def give_back(grove: Grove, size: int) -> None:
    async with grove.database.transaction() as tx:
        await quota.release(tx, grove.owner, size)


async def test_restore_against_purge_has_one_winner_and_counts_once(grove: Grove) -> None:
    for _ in range(10):
        file = await grove.file(size=10)
        await grove.trash(file)
        results = await outcomes(grove.restore(file.id), grove.purge(file.id), grove.purge(file.id))
        assert results.count("ok") == 1
        used = 10 if results[0] == "ok" else 0
        assert await grove.storage() == Storage(used=used, reserved=0)
        if used:
            await grove.trash(file)
            await grove.purge()


async def test_purging_by_many_hands_frees_every_byte_once(grove: Grove) -> None:
    for number in range(20):
        await grove.file(f"{number}.txt", "/box", size=10)
    box = (await grove.page(path="/box"))["folder"]
    assert isinstance(box, dict)
    await grove.trash(await grove.get_folder(str(box["id"])))

    async def sweep() -> int:
        async with grove.database.transaction() as tx:
            return await trash.purge_some(tx, grove.owner, 4)

    async with grove.database.transaction() as tx:
        await trash.give_up_all(tx, grove.owner)
    counts = await asyncio.gather(*(sweep() for _ in range(8)))
    assert sum(counts) == 21
    assert await grove.storage() == Storage(used=0, reserved=0)
    assert len(await grove.facts("file.purged")) == 20
