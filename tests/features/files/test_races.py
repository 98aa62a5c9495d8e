"""Concurrent requests."""

import asyncio
import random
from collections.abc import Awaitable

from sqlalchemy import select

from metastore.features.auth.accounts import quota
from metastore.features.files.models import Node
from metastore.features.files.tree.purge import purge_batch, start_purge_all
from metastore.kit.problems.problem import Problem
from tests.features.files.owner_tree import OwnerTree, items_of
from tests.fixtures.accounts import Storage


async def outcomes(*attempts: Awaitable[object]) -> list[str]:
    """Return ``ok`` or the problem's code for each attempt; any other exception fails the test."""
    results = await asyncio.gather(*attempts, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, Problem):
            raise result
    return [result.code if isinstance(result, Problem) else "ok" for result in results]


async def assert_consistent(tree: OwnerTree) -> None:
    """Assert that every live node reaches the root through live folders."""
    async with tree.database.reading() as tx:
        nodes = {node.id: node for node in await tx.session.scalars(select(Node))}
    for node in nodes.values():
        seen, here = set(), node
        while node.trashed_at is None and here.parent_id is not None:
            assert here.id not in seen, "a folder is its own ancestor"
            seen.add(here.id)
            here = nodes[here.parent_id]
            assert here.trashed_at is None, "a live node is in a trashed folder"


async def test_concurrent_files_of_one_name_are_all_numbered(tree: OwnerTree) -> None:
    nodes = await asyncio.gather(*(tree.begin("a.txt", "/new/folder") for _ in range(12)))
    expected = {"a.txt", *(f"a ({number}).txt" for number in range(1, 12))}
    assert {node.name for node in nodes} == expected
    assert len({node.parent_id for node in nodes}) == 1
    assert len(await tree.events("folder.created")) == 2


async def test_exactly_one_of_several_concurrent_folders_of_one_name_is_created(tree: OwnerTree) -> None:
    results = await outcomes(*(tree.folder("box") for _ in range(8)))
    assert sorted(results) == ["name-taken"] * 7 + ["ok"]


async def test_two_folders_cannot_be_moved_into_each_other_concurrently(tree: OwnerTree) -> None:
    for _ in range(10):
        a, b = await tree.folder("a"), await tree.folder("b")
        results = await outcomes(tree.change_folder(a.id, parentId=b.id), tree.change_folder(b.id, parentId=a.id))
        assert sorted(results) == ["move-into-itself", "ok"]
        await assert_consistent(tree)
        top = a if results[1] == "ok" else b
        await tree.trash(top)
        await tree.purge(top.id)


async def test_concurrent_moves_never_form_a_cycle(tree: OwnerTree) -> None:
    folders = [await tree.folder(str(number)) for number in range(5)]
    moves = [(one, other) for one in folders for other in folders if one is not other]
    random.Random(7).shuffle(moves)
    await outcomes(*(tree.change_folder(one.id, parentId=other.id) for one, other in moves))
    await assert_consistent(tree)


async def test_a_file_is_never_moved_into_a_folder_being_trashed(tree: OwnerTree) -> None:
    for _ in range(10):
        box = await tree.folder("box")
        await outcomes(
            tree.begin("a.txt", "/box"), tree.trash(box), tree.folder("inner", box.id), tree.file("b", "/box")
        )
        await assert_consistent(tree)
        for folder_id in await folder_ids(tree):
            await tree.trash(await tree.get_folder(str(folder_id)))
        await tree.purge()
        assert await tree.names() == []
    storage = await tree.storage()
    assert storage.used == 0


async def folder_ids(tree: OwnerTree) -> list[object]:
    return [item["id"] for item in items_of(await tree.page())]


async def test_quota_is_exact_if_a_file_is_completed_while_it_is_purged(tree: OwnerTree) -> None:
    for _ in range(10):
        node = await tree.begin(size=10)
        await tree.trash(node)
        finished, purged = await outcomes(tree.finish(node), tree.purge(node.id))
        assert purged == "ok"
        assert finished in ("ok", "not-found")
        reserved = 0 if finished == "ok" else 10
        assert await tree.storage() == Storage(used=0, reserved=reserved)
        assert await tree.trashed() == []
        if reserved:
            await release_quota(tree, reserved)


async def release_quota(tree: OwnerTree, size: int) -> None:
    async with tree.database.transaction() as tx:
        await quota.release(tx, tree.owner, size)


async def test_exactly_one_of_restore_and_purge_succeeds(tree: OwnerTree) -> None:
    for _ in range(10):
        file = await tree.file(size=10)
        await tree.trash(file)
        results = await outcomes(tree.restore(file.id), tree.purge(file.id), tree.purge(file.id))
        assert results.count("ok") == 1
        used = 10 if results[0] == "ok" else 0
        assert await tree.storage() == Storage(used=used, reserved=0)
        if used:
            await tree.trash(file)
            await tree.purge()


async def test_concurrent_purges_refund_every_byte_once(tree: OwnerTree) -> None:
    for number in range(20):
        await tree.file(f"{number}.txt", "/box", size=10)
    box = (await tree.page(path="/box"))["folder"]
    assert isinstance(box, dict)
    await tree.trash(await tree.get_folder(str(box["id"])))

    async def sweep() -> int:
        async with tree.database.transaction() as tx:
            return await purge_batch(tx, tree.owner, 4)

    async with tree.database.transaction() as tx:
        await start_purge_all(tx, tree.owner)
    counts = await asyncio.gather(*(sweep() for _ in range(8)))
    assert sum(counts) == 21
    assert await tree.storage() == Storage(used=0, reserved=0)
    assert len(await tree.events("file.purged")) == 20
