"""Creating folders and files, by name and by path."""

import pytest

from metastore.kit.ids import new_id
from metastore.kit.problems.problem import Problem
from tests.features.files.owner_tree import OwnerTree, names_in
from tests.fixtures.accounts import add_user


async def test_a_folder_is_created_in_the_root_or_in_another(tree: OwnerTree) -> None:
    outer = await tree.folder("Photos")
    inner = await tree.folder("2026", outer.id)
    assert (outer.path, outer.parent_id) == ("/Photos", None)
    assert (inner.path, inner.parent_id) == ("/Photos/2026", outer.id)
    assert await tree.names() == ["Photos"]
    assert await tree.names(path="/Photos") == ["2026"]
    assert await tree.event_types() == ["folder.created", "folder.created"]


async def test_a_folder_needs_a_free_name(tree: OwnerTree) -> None:
    await tree.folder("Photos")
    with pytest.raises(Problem, match="409 name-taken"):
        await tree.folder("Photos")
    await tree.folder("photos")


async def test_names_that_differ_only_in_normalization_are_the_same(tree: OwnerTree) -> None:
    await tree.folder("Phim \u1ea3nh")
    with pytest.raises(Problem, match="409 name-taken"):
        await tree.folder("Phim a\u0309nh")


async def test_names_are_unique_per_owner(tree: OwnerTree) -> None:
    await tree.folder("Photos")
    tree.owner = await add_user(tree.database)
    await tree.folder("Photos")


async def test_an_unknown_parent_is_not_found(tree: OwnerTree) -> None:
    for parent in ("no id", new_id(), "", "\0"):
        with pytest.raises(Problem, match="404") as caught:
            await tree.folder("a", parent)
        assert not caught.value.refused


async def test_a_file_cannot_be_a_parent(tree: OwnerTree) -> None:
    with pytest.raises(Problem, match="404"):
        await tree.folder("a", (await tree.file()).id)


async def test_another_users_folder_is_not_found_and_the_access_is_marked_as_refused(tree: OwnerTree) -> None:
    theirs = await tree.folder("theirs")
    tree.owner = await add_user(tree.database)
    for attempt in (tree.folder("a", theirs.id), tree.get_folder(theirs.id), tree.page(parentId=theirs.id)):
        with pytest.raises(Problem, match="404") as caught:
            await attempt
        assert caught.value.refused


async def test_a_file_creates_the_folders_on_its_path(tree: OwnerTree) -> None:
    file = await tree.file("clip.mp4", "/Films/2026")
    assert file.path == "/Films/2026/clip.mp4"
    again = await tree.file("other.mp4", "Films//2026/")
    assert again.parent_id == file.parent_id
    assert (await tree.event_types()).count("folder.created") == 2


async def test_a_path_through_a_file_is_a_conflict(tree: OwnerTree) -> None:
    await tree.file("Films")
    with pytest.raises(Problem, match="409 name-taken"):
        await tree.file("clip.mp4", "/Films/2026")


async def test_a_path_with_dots_is_rejected_and_nothing_is_created(tree: OwnerTree) -> None:
    with pytest.raises(Problem, match="422 invalid-path"):
        await tree.file("a.txt", "/new/../b")
    assert await tree.names() == []
    assert (await tree.storage()).reserved == 0


async def test_a_duplicate_name_is_numbered(tree: OwnerTree) -> None:
    names = [(await tree.file("a.tar.gz")).name for _ in range(3)]
    assert names == ["a.tar.gz", "a (1).tar.gz", "a (2).tar.gz"]
    assert (await tree.begin("a.tar.gz")).name == "a (3).tar.gz"


async def test_a_freed_number_is_reused(tree: OwnerTree) -> None:
    for name in ("a.txt", "a (1).txt", "a (3).txt", "a (x).txt", "a.txt.txt", "A.txt"):
        await tree.file(name)
    assert (await tree.begin("a.txt")).name == "a (2).txt"


async def test_a_file_named_like_a_folder_is_numbered(tree: OwnerTree) -> None:
    await tree.folder("notes.txt")
    assert (await tree.begin("notes.txt")).name == "notes (1).txt"


async def test_numbered_names_have_at_most_255_bytes(tree: OwnerTree) -> None:
    longest = "ă" * 125 + ".txtx"
    names = [(await tree.begin(longest)).name for _ in range(3)]
    assert names[0] == longest
    assert [len(name.encode()) <= 255 and name.endswith(".txtx") for name in names] == [True] * 3
    assert len(set(names)) == 3


async def test_folders_nest_64_deep_and_no_deeper(tree: OwnerTree) -> None:
    deepest = "/".join(["d"] * 64)
    file = await tree.file("a.txt", deepest)
    assert file.path == f"/{deepest}/a.txt"
    with pytest.raises(Problem, match="422 path-too-deep"):
        await tree.folder("d", file.parent_id)
    with pytest.raises(Problem, match="422 path-too-deep"):
        await tree.file("a.txt", f"{deepest}/d")


async def test_an_uploading_file_is_listed(tree: OwnerTree) -> None:
    await tree.begin("a.txt")
    page = await tree.page()
    assert names_in(page) == ["a.txt"]
    assert page["items"][0]["status"] == "UPLOADING"  # type: ignore[index, call-overload]  # JSON


async def test_a_completed_file_has_its_final_fields(tree: OwnerTree) -> None:
    node = await tree.begin("a.txt", "/b", size=7)
    file = await tree.finish(node)
    assert (file.status, file.size, file.checksum) == ("READY", 7, "sha256:00")
    assert (file.processing.state, file.processing.progress) == ("DONE", 100)
    uploaded = (await tree.events("file.uploaded"))[0]
    assert uploaded.aggregate == f"file:{file.id}"
    assert uploaded.payload == {
        "fileId": file.id,
        "ownerId": tree.owner,
        "name": "a.txt",
        "path": "/b/a.txt",
        "size": 7,
        "mimeType": "text/plain",
        "objectKey": f"files/{file.id}",
    }
    assert (await tree.event_types())[-2:] == ["file.uploaded", "file.ready"]


async def test_a_file_is_completed_only_once(tree: OwnerTree) -> None:
    node = await tree.begin()
    await tree.finish(node)
    with pytest.raises(Problem, match="404"):
        await tree.finish(node)


async def test_only_an_uploading_file_can_be_discarded(tree: OwnerTree) -> None:
    uploading, ready = await tree.begin("a"), await tree.file("b")
    async with tree.database.transaction() as tx:
        for node_id in (uploading.id, ready.id, new_id()):
            await tree.files.discard_uploading_file(tx, node_id)
    assert await tree.names() == ["b"]


async def test_names_and_locations_are_returned_by_id(tree: OwnerTree) -> None:
    top, deep = await tree.begin("a"), await tree.begin("b", "/x/y")
    async with tree.database.reading() as tx:
        places = await tree.files.locations_of(tx, [top.id, deep.id, new_id()])
        name, missing = await tree.files.name_of(tx, deep.id), await tree.files.name_of(tx, new_id())
    assert {(place.name, place.folder_path) for place in places.values()} == {("a", "/"), ("b", "/x/y")}
    assert (name, missing) == ("b", None)


async def test_ids_of_the_other_kind_are_not_found(tree: OwnerTree) -> None:
    file, folder = await tree.file(), await tree.folder("f")
    with pytest.raises(Problem, match="404"):
        await tree.get(folder.id)
    with pytest.raises(Problem, match="404"):
        await tree.get_folder(file.id)
