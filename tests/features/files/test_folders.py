"""Folders and files come to be, by name and by path."""

import pytest

from metastore.kit.ids import new_id
from metastore.kit.problem import Problem
from tests.features.files.grove import Grove, names_in
from tests.fixtures.accounts import add_user


async def test_a_folder_is_made_in_the_root_or_in_another(grove: Grove) -> None:
    outer = await grove.folder("Photos")
    inner = await grove.folder("2026", outer.id)
    assert (outer.path, outer.parent_id) == ("/Photos", None)
    assert (inner.path, inner.parent_id) == ("/Photos/2026", outer.id)
    assert await grove.names() == ["Photos"]
    assert await grove.names(path="/Photos") == ["2026"]
    assert await grove.fact_types() == ["folder.created", "folder.created"]


async def test_a_folder_needs_a_name_of_its_own(grove: Grove) -> None:
    await grove.folder("Photos")
    with pytest.raises(Problem, match="409 name-taken"):
        await grove.folder("Photos")
    await grove.folder("photos")


async def test_names_that_differ_only_by_normal_form_are_the_same(grove: Grove) -> None:
    await grove.folder("Phim \u1ea3nh")
    with pytest.raises(Problem, match="409 name-taken"):
        await grove.folder("Phim a\u0309nh")


async def test_a_folder_of_one_user_does_not_take_a_name_from_another(grove: Grove) -> None:
    await grove.folder("Photos")
    grove.owner = await add_user(grove.database)
    await grove.folder("Photos")


async def test_a_parent_that_never_was_is_not_found(grove: Grove) -> None:
    for parent in ("no id", new_id(), "", "\0"):
        with pytest.raises(Problem, match="404") as caught:
            await grove.folder("a", parent)
        assert not caught.value.refused


async def test_a_file_is_no_parent(grove: Grove) -> None:
    with pytest.raises(Problem, match="404"):
        await grove.folder("a", (await grove.file()).id)


async def test_the_folder_of_somebody_else_is_not_found_and_the_attempt_is_kept(grove: Grove) -> None:
    theirs = await grove.folder("theirs")
    grove.owner = await add_user(grove.database)
    for attempt in (grove.folder("a", theirs.id), grove.get_folder(theirs.id), grove.page(parentId=theirs.id)):
        with pytest.raises(Problem, match="404") as caught:
            await attempt
        assert caught.value.refused


async def test_a_file_makes_the_folders_on_its_path(grove: Grove) -> None:
    file = await grove.file("clip.mp4", "/Films/2026")
    assert file.path == "/Films/2026/clip.mp4"
    again = await grove.file("other.mp4", "Films//2026/")
    assert again.parent_id == file.parent_id
    assert (await grove.fact_types()).count("folder.created") == 2


async def test_a_file_in_the_way_of_a_path_is_a_clash(grove: Grove) -> None:
    await grove.file("Films")
    with pytest.raises(Problem, match="409 name-taken"):
        await grove.file("clip.mp4", "/Films/2026")


async def test_a_path_through_dots_is_refused_and_nothing_is_made(grove: Grove) -> None:
    with pytest.raises(Problem, match="422 invalid-path"):
        await grove.file("a.txt", "/new/../b")
    assert await grove.names() == []
    assert (await grove.storage()).reserved == 0


async def test_a_twin_is_numbered(grove: Grove) -> None:
    names = [(await grove.file("a.tar.gz")).name for _ in range(3)]
    assert names == ["a.tar.gz", "a (1).tar.gz", "a (2).tar.gz"]
    assert (await grove.begin("a.tar.gz")).name == "a (3).tar.gz"


async def test_a_number_that_is_free_again_is_used_again(grove: Grove) -> None:
    for name in ("a.txt", "a (1).txt", "a (3).txt", "a (x).txt", "a.txt.txt", "A.txt"):
        await grove.file(name)
    assert (await grove.begin("a.txt")).name == "a (2).txt"


async def test_a_twin_of_a_folder_is_numbered_too(grove: Grove) -> None:
    await grove.folder("notes.txt")
    assert (await grove.begin("notes.txt")).name == "notes (1).txt"


async def test_the_longest_name_has_twins_of_at_most_255_bytes(grove: Grove) -> None:
    longest = "ă" * 125 + ".txtx"
    names = [(await grove.begin(longest)).name for _ in range(3)]
    assert names[0] == longest
    assert [len(name.encode()) <= 255 and name.endswith(".txtx") for name in names] == [True] * 3
    assert len(set(names)) == 3


async def test_folders_nest_64_deep_and_no_deeper(grove: Grove) -> None:
    deepest = "/".join(["d"] * 64)
    file = await grove.file("a.txt", deepest)
    assert file.path == f"/{deepest}/a.txt"
    with pytest.raises(Problem, match="422 path-too-deep"):
        await grove.folder("d", file.parent_id)
    with pytest.raises(Problem, match="422 path-too-deep"):
        await grove.file("a.txt", f"{deepest}/d")


async def test_a_file_that_is_coming_in_is_listed(grove: Grove) -> None:
    await grove.begin("a.txt")
    page = await grove.page()
    assert names_in(page) == ["a.txt"]
    assert page["items"][0]["status"] == "UPLOADING"  # type: ignore[index, call-overload]  # JSON


async def test_a_finished_file_says_what_it_is(grove: Grove) -> None:
    node = await grove.begin("a.txt", "/b", size=7)
    file = await grove.finish(node)
    assert (file.status, file.size, file.checksum) == ("READY", 7, "sha256:00")
    assert (file.processing.state, file.processing.progress) == ("DONE", 100)
    uploaded = (await grove.facts("file.uploaded"))[0]
    assert uploaded.aggregate == f"file:{file.id}"
    assert uploaded.payload == {
        "fileId": file.id,
        "ownerId": grove.owner,
        "name": "a.txt",
        "path": "/b/a.txt",
        "size": 7,
        "mimeType": "text/plain",
        "objectKey": f"files/{file.id}",
    }
    assert (await grove.fact_types())[-2:] == ["file.uploaded", "file.ready"]


async def test_a_file_is_finished_once(grove: Grove) -> None:
    node = await grove.begin()
    await grove.finish(node)
    with pytest.raises(Problem, match="404"):
        await grove.finish(node)


async def test_a_discarded_file_is_gone_unless_it_has_arrived(grove: Grove) -> None:
    coming, there = await grove.begin("a"), await grove.file("b")
    async with grove.database.transaction() as tx:
        for node_id in (coming.id, there.id, new_id()):
            await grove.files.discard_file(tx, node_id)
    assert await grove.names() == ["b"]


async def test_other_features_learn_names_and_places(grove: Grove) -> None:
    top, deep = await grove.begin("a"), await grove.begin("b", "/x/y")
    async with grove.database.reading() as tx:
        places = await grove.files.places_of(tx, [top.id, deep.id, new_id()])
        name, nobody = await grove.files.name_of(tx, deep.id), await grove.files.name_of(tx, new_id())
    assert {(place.name, place.folder_path) for place in places.values()} == {("a", "/"), ("b", "/x/y")}
    assert (name, nobody) == ("b", None)


async def test_a_file_is_no_folder_and_a_folder_no_file(grove: Grove) -> None:
    file, folder = await grove.file(), await grove.folder("f")
    with pytest.raises(Problem, match="404"):
        await grove.get(folder.id)
    with pytest.raises(Problem, match="404"):
        await grove.get_folder(file.id)
