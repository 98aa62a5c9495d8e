"""Moving nodes to the trash and restoring them."""

import pytest

from metastore.features.files.models import Node
from metastore.features.files.schemas import FileOut, FolderOut, TrashListing
from metastore.kit.ids import new_id
from metastore.kit.problems.problem import Problem
from tests.features.files.owner_tree import OwnerTree, items_of, names_in
from tests.fixtures.accounts import Storage, add_user


async def test_a_trashed_file_is_listed_only_in_the_trash(tree: OwnerTree) -> None:
    file = await tree.file("a.txt", "/box")
    await tree.trash(file)
    assert await tree.names(path="/box") == []
    for attempt in (tree.get(file.id), tree.change(file.id, name="b"), tree.trash(file)):
        with pytest.raises(Problem, match="404"):
            await attempt
    shown = items_of(await tree.trash_page())[0]
    assert (shown["path"], shown["trashedAt"]) == ("/box/a.txt", "2026-03-04T05:06:07.800Z")
    assert (await tree.storage()).used == 5


async def test_a_folder_is_trashed_and_restored_with_everything_in_it(tree: OwnerTree) -> None:
    file = await tree.file("a.txt", "/box/inner")
    box = await tree.get_folder(str((await tree.page(path="/box"))["folder"]["id"]))  # type: ignore[index, call-overload]  # JSON
    await tree.trash(box)
    assert await tree.names() == []
    assert await tree.trashed() == ["box"]
    with pytest.raises(Problem, match="404"):
        await tree.get(file.id)
    restored = await tree.restore(box.id)
    assert isinstance(restored, FolderOut)
    assert (await tree.get(file.id)).path == "/box/inner/a.txt"
    assert await tree.trashed() == []
    assert (await tree.event_types())[-2:] == ["folder.trashed", "folder.restored"]


async def test_the_name_of_a_trashed_node_is_free(tree: OwnerTree) -> None:
    first = await tree.file("a.txt")
    await tree.trash(first)
    second = await tree.file("a.txt")
    assert second.name == "a.txt"
    restored = await tree.restore(first.id)
    assert (restored.name, restored.path) == ("a (1).txt", "/a (1).txt")


async def test_restoring_many_of_one_name_numbers_them(tree: OwnerTree) -> None:
    folders = []
    for _ in range(3):
        folders.append(await tree.folder("v1.0"))
        await tree.trash(folders[-1])
    assert [(await tree.restore(folder.id)).name for folder in folders] == ["v1.0", "v1.0 (1)", "v1.0 (2)"]


async def test_a_node_is_restored_to_the_root_if_its_folder_is_gone(tree: OwnerTree) -> None:
    file, other = await tree.file("a.txt", "/box"), await tree.file("b.txt", "/box")
    await tree.trash(file)
    await tree.trash(other)
    box = await tree.get_folder(str(file.parent_id))
    await tree.trash(box)
    assert (await tree.restore(file.id)).path == "/a.txt"
    await tree.purge(box.id)
    assert await tree.trashed() == ["b.txt"]
    assert (await tree.restore(other.id)).path == "/b.txt"


async def test_a_node_trashed_before_its_folder_stays_in_the_trash(tree: OwnerTree) -> None:
    early, late = await tree.file("early.txt", "/box"), await tree.file("late.txt", "/box")
    await tree.trash(early)
    box = await tree.get_folder(str(early.parent_id))
    await tree.trash(box)
    await tree.restore(box.id)
    assert await tree.names(path="/box") == ["late.txt"]
    assert await tree.trashed() == ["early.txt"]
    assert (await tree.get(late.id)).path == "/box/late.txt"
    assert (await tree.restore(early.id)).path == "/box/early.txt"


async def test_a_folder_is_restored_to_the_root_if_it_would_nest_too_deep(tree: OwnerTree) -> None:
    box = await tree.folder("box")
    tower = await tree.folder("tower", box.id)
    top = await tree.file("a.txt", "/box/tower/" + "/".join(["t"] * 40))
    await tree.trash(tower)
    bottom = await tree.file("b.txt", "/".join(["d"] * 30))
    await tree.change_folder(box.id, parentId=bottom.parent_id)
    assert (await tree.restore(tower.id)).path == "/tower"
    assert (await tree.get(top.id)).path.startswith("/tower/t/t")


async def test_only_the_trashed_node_is_a_trash_root(tree: OwnerTree) -> None:
    file, alive = await tree.file("a.txt", "/box"), await tree.file("b.txt")
    await tree.trash(await tree.get_folder(str(file.parent_id)))
    for node_id in (file.id, alive.id, new_id(), "..", "\0"):
        with pytest.raises(Problem, match="404"):
            await tree.restore(node_id)
        with pytest.raises(Problem, match="404"):
            await tree.purge(node_id)


async def test_another_users_trash_is_not_found(tree: OwnerTree) -> None:
    file = await tree.file()
    await tree.trash(file)
    tree.owner = await add_user(tree.database)
    assert await tree.trashed() == []
    for attempt in (tree.restore(file.id), tree.purge(file.id)):
        with pytest.raises(Problem, match="404") as caught:
            await attempt
        assert caught.value.refused
    await tree.purge()
    assert await tree.events("file.purged") == []


async def test_the_trash_is_paged_latest_first(tree: OwnerTree) -> None:
    for number in range(5):
        await tree.trash(await tree.file(f"{number}.txt"))
        tree.clock.forward(number % 2)
    first = await tree.trash_page(limit=2)
    assert names_in(first) == ["4.txt", "3.txt"]
    second = await tree.trash_page(limit=2, cursor=str(first["nextCursor"]))
    third = await tree.trash_page(limit=2, cursor=str(second["nextCursor"]))
    assert names_in(second) + names_in(third) == ["2.txt", "1.txt", "0.txt"]
    assert third["nextCursor"] is None
    TrashListing.model_validate(first)


async def test_a_file_can_be_completed_in_the_trash(tree: OwnerTree) -> None:
    node = await tree.begin("a.txt", "/box")
    await tree.trash(await tree.get_folder(str(node.parent_id)))
    file = await tree.finish(node)
    assert (file.status, file.path) == ("READY", "/box/a.txt")
    assert await tree.storage() == Storage(used=5, reserved=0)
    async with tree.database.reading() as tx:
        assert (await tree.files.owned_file(tx, tree.owner, node.id)).status == "READY"
    await tree.restore(str(node.parent_id))
    assert isinstance(await tree.get(node.id), FileOut)


async def test_trashing_changes_the_version(tree: OwnerTree) -> None:
    file = await tree.file()
    await tree.trash(file)
    await tree.restore(file.id)
    async with tree.database.reading() as tx:
        node = await tx.session.get(Node, file.id)
    assert node is not None
    assert node.version == 4
