"""Things put away and taken back."""

import pytest

from metastore.features.files.models import Node
from metastore.features.files.schemas import FileOut, FolderOut, TrashListing
from metastore.kit.ids import new_id
from metastore.kit.problem import Problem
from tests.features.files.grove import Grove, items_of, names_in
from tests.fixtures.accounts import Storage, add_user


async def test_a_file_in_the_trash_is_nowhere_else(grove: Grove) -> None:
    file = await grove.file("a.txt", "/box")
    await grove.trash(file)
    assert await grove.names(path="/box") == []
    for attempt in (grove.get(file.id), grove.change(file.id, name="b"), grove.trash(file)):
        with pytest.raises(Problem, match="404"):
            await attempt
    shown = items_of(await grove.trash_page())[0]
    assert (shown["path"], shown["trashedAt"]) == ("/box/a.txt", "2026-03-04T05:06:07.800Z")
    assert (await grove.storage()).used == 5


async def test_a_folder_goes_with_all_that_is_in_it_and_comes_back_so(grove: Grove) -> None:
    file = await grove.file("a.txt", "/box/inner")
    box = await grove.get_folder(str((await grove.page(path="/box"))["folder"]["id"]))  # type: ignore[index, call-overload]  # JSON
    await grove.trash(box)
    assert await grove.names() == []
    assert await grove.trashed() == ["box"]
    with pytest.raises(Problem, match="404"):
        await grove.get(file.id)
    restored = await grove.restore(box.id)
    assert isinstance(restored, FolderOut)
    assert (await grove.get(file.id)).path == "/box/inner/a.txt"
    assert await grove.trashed() == []
    assert (await grove.fact_types())[-2:] == ["folder.trashed", "folder.restored"]


async def test_a_name_in_the_trash_is_free(grove: Grove) -> None:
    first = await grove.file("a.txt")
    await grove.trash(first)
    second = await grove.file("a.txt")
    assert second.name == "a.txt"
    restored = await grove.restore(first.id)
    assert (restored.name, restored.path) == ("a (1).txt", "/a (1).txt")


async def test_restoring_many_of_one_name_numbers_them(grove: Grove) -> None:
    folders = []
    for _ in range(3):
        folders.append(await grove.folder("v1.0"))
        await grove.trash(folders[-1])
    assert [(await grove.restore(folder.id)).name for folder in folders] == ["v1.0", "v1.0 (1)", "v1.0 (2)"]


async def test_what_lay_in_a_folder_that_is_gone_comes_back_to_the_root(grove: Grove) -> None:
    file, other = await grove.file("a.txt", "/box"), await grove.file("b.txt", "/box")
    await grove.trash(file)
    await grove.trash(other)
    box = await grove.get_folder(str(file.parent_id))
    await grove.trash(box)
    assert (await grove.restore(file.id)).path == "/a.txt"
    await grove.purge(box.id)
    assert await grove.trashed() == ["b.txt"]
    assert (await grove.restore(other.id)).path == "/b.txt"


async def test_what_was_put_away_before_its_folder_stays_away_when_the_folder_comes_back(grove: Grove) -> None:
    early, late = await grove.file("early.txt", "/box"), await grove.file("late.txt", "/box")
    await grove.trash(early)
    box = await grove.get_folder(str(early.parent_id))
    await grove.trash(box)
    await grove.restore(box.id)
    assert await grove.names(path="/box") == ["late.txt"]
    assert await grove.trashed() == ["early.txt"]
    assert (await grove.get(late.id)).path == "/box/late.txt"
    assert (await grove.restore(early.id)).path == "/box/early.txt"


async def test_what_would_nest_too_deep_comes_back_to_the_root(grove: Grove) -> None:
    box = await grove.folder("box")
    tower = await grove.folder("tower", box.id)
    top = await grove.file("a.txt", "/box/tower/" + "/".join(["t"] * 40))
    await grove.trash(tower)
    bottom = await grove.file("b.txt", "/".join(["d"] * 30))
    await grove.change_folder(box.id, parentId=bottom.parent_id)
    assert (await grove.restore(tower.id)).path == "/tower"
    assert (await grove.get(top.id)).path.startswith("/tower/t/t")


async def test_only_what_was_meant_is_in_the_trash_by_itself(grove: Grove) -> None:
    file, alive = await grove.file("a.txt", "/box"), await grove.file("b.txt")
    await grove.trash(await grove.get_folder(str(file.parent_id)))
    for node_id in (file.id, alive.id, new_id(), "..", "\0"):
        with pytest.raises(Problem, match="404"):
            await grove.restore(node_id)
        with pytest.raises(Problem, match="404"):
            await grove.purge(node_id)


async def test_the_trash_of_somebody_else_is_not_found(grove: Grove) -> None:
    file = await grove.file()
    await grove.trash(file)
    grove.owner = await add_user(grove.database)
    assert await grove.trashed() == []
    for attempt in (grove.restore(file.id), grove.purge(file.id)):
        with pytest.raises(Problem, match="404") as caught:
            await attempt
        assert caught.value.refused
    await grove.purge()
    assert await grove.facts("file.purged") == []


async def test_the_trash_is_read_latest_first_page_by_page(grove: Grove) -> None:
    for number in range(5):
        await grove.trash(await grove.file(f"{number}.txt"))
        grove.clock.forward(number % 2)
    first = await grove.trash_page(limit=2)
    assert names_in(first) == ["4.txt", "3.txt"]
    second = await grove.trash_page(limit=2, cursor=str(first["nextCursor"]))
    third = await grove.trash_page(limit=2, cursor=str(second["nextCursor"]))
    assert names_in(second) + names_in(third) == ["2.txt", "1.txt", "0.txt"]
    assert third["nextCursor"] is None
    TrashListing.model_validate(first)


async def test_a_file_may_arrive_while_it_lies_in_the_trash(grove: Grove) -> None:
    node = await grove.begin("a.txt", "/box")
    await grove.trash(await grove.get_folder(str(node.parent_id)))
    file = await grove.finish(node)
    assert (file.status, file.path) == ("READY", "/box/a.txt")
    assert await grove.storage() == Storage(used=5, reserved=0)
    async with grove.database.reading() as tx:
        assert (await grove.files.file_out(tx, grove.owner, node.id)).status == "READY"
    await grove.restore(str(node.parent_id))
    assert isinstance(await grove.get(node.id), FileOut)


async def test_what_is_put_away_has_another_version(grove: Grove) -> None:
    file = await grove.file()
    await grove.trash(file)
    await grove.restore(file.id)
    async with grove.database.reading() as tx:
        node = await tx.session.get(Node, file.id)
    assert node is not None
    assert node.version == 4
