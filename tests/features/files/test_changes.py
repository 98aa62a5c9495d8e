"""Renaming, moving and publishing."""

import pytest

from metastore.features.files.schemas import FilePatch
from metastore.kit.ids import new_id
from metastore.kit.problem import Problem
from tests.features.files.grove import Grove
from tests.fixtures.accounts import add_user


async def test_a_file_gets_another_name(grove: Grove) -> None:
    file = await grove.file("draft.txt", "/docs")
    grove.clock.forward(60)
    renamed = await grove.change(file.id, name=" final.txt ")
    assert (renamed.name, renamed.path) == ("final.txt", "/docs/final.txt")
    assert renamed.updated_at > file.updated_at
    fact = (await grove.facts("file.renamed"))[0]
    assert (fact.payload["name"], fact.payload["oldName"]) == ("final.txt", "draft.txt")


async def test_a_taken_name_is_refused_and_nothing_changes(grove: Grove) -> None:
    await grove.folder("taken")
    file = await grove.file("a.txt")
    with pytest.raises(Problem, match="409 name-taken"):
        await grove.change(file.id, name="taken", visibility="PUBLIC")
    assert await grove.get(file.id) == file


async def test_a_name_may_change_its_case_alone(grove: Grove) -> None:
    assert (await grove.change_folder((await grove.folder("photos")).id, name="Photos")).name == "Photos"


async def test_what_stays_the_same_is_no_change(grove: Grove) -> None:
    file = await grove.file("a.txt")
    before = await grove.fact_types()
    grove.clock.forward(60)
    assert await grove.change(file.id, name="a.txt", parentId=None, visibility="PRIVATE") == file
    assert await grove.change(file.id) == file
    assert await grove.fact_types() == before


async def test_the_paths_below_a_renamed_folder_follow(grove: Grove) -> None:
    file = await grove.file("a.txt", "/old/inner")
    folder_id = (await grove.page(path="/old"))["folder"]["id"]  # type: ignore[index, call-overload]  # JSON
    await grove.change_folder(str(folder_id), name="new")
    assert (await grove.get(file.id)).path == "/new/inner/a.txt"


async def test_a_file_moves_into_a_folder_and_back_to_the_root(grove: Grove) -> None:
    folder, file = await grove.folder("box"), await grove.file("a.txt")
    assert (await grove.change(file.id, parentId=folder.id)).path == "/box/a.txt"
    assert (await grove.change(file.id, name="b.txt")).parent_id == folder.id
    moved = await grove.change(file.id, parentId=None, name="c.txt")
    assert (moved.path, moved.parent_id) == ("/c.txt", None)
    assert [fact.payload["parentId"] for fact in await grove.facts("file.moved")] == [folder.id, None]


async def test_a_move_onto_a_taken_name_is_refused(grove: Grove) -> None:
    file, other = await grove.file("a.txt"), await grove.file("a.txt", "/box")
    with pytest.raises(Problem, match="409 name-taken"):
        await grove.change(file.id, parentId=other.parent_id)


async def test_a_file_is_published_and_withdrawn(grove: Grove) -> None:
    file = await grove.file()
    assert (await grove.change(file.id, visibility="PUBLIC")).visibility == "PUBLIC"
    assert (await grove.change(file.id, visibility="PRIVATE")).visibility == "PRIVATE"
    facts = await grove.facts("file.visibility_changed")
    assert [fact.payload["visibility"] for fact in facts] == ["PUBLIC", "PRIVATE"]


async def test_a_folder_cannot_go_into_itself_or_below(grove: Grove) -> None:
    outer = await grove.folder("outer")
    inner = await grove.folder("inner", outer.id)
    deep = await grove.folder("deep", inner.id)
    for target in (outer, inner, deep):
        with pytest.raises(Problem, match="409 move-into-itself"):
            await grove.change_folder(outer.id, parentId=target.id)
    assert (await grove.change_folder(deep.id, parentId=outer.id)).path == "/outer/deep"
    assert (await grove.change_folder(inner.id, parentId=deep.id)).path == "/outer/deep/inner"


async def test_a_move_nests_no_deeper_than_64(grove: Grove) -> None:
    bottom = await grove.file("a.txt", "/".join(["d"] * 62))
    tree = await grove.folder("tree")
    await grove.folder("leaf", (await grove.folder("branch", tree.id)).id)
    with pytest.raises(Problem, match="422 path-too-deep"):
        await grove.change_folder(tree.id, parentId=bottom.parent_id)
    lone = await grove.folder("lone")
    await grove.folder("below", lone.id)
    assert (await grove.change_folder(lone.id, parentId=bottom.parent_id)).path.count("/") == 63


async def test_a_move_to_no_folder_of_mine_is_not_found(grove: Grove) -> None:
    file, other = await grove.file("a.txt"), await grove.file("b.txt")
    gone = await grove.folder("gone")
    await grove.trash(gone)
    me, grove.owner = grove.owner, await add_user(grove.database)
    theirs = await grove.folder("theirs")
    grove.owner = me
    for target in (other.id, gone.id, theirs.id, new_id(), "..", ""):
        with pytest.raises(Problem, match="404"):
            await grove.change(file.id, parentId=target)


async def test_the_file_of_somebody_else_cannot_be_changed(grove: Grove) -> None:
    file = await grove.file()
    grove.owner = await add_user(grove.database)
    for attempt in (grove.get(file.id), grove.change(file.id, name="x"), grove.trash(file)):
        with pytest.raises(Problem, match="404") as caught:
            await attempt
        assert caught.value.refused


async def test_a_change_under_a_condition_happens_only_to_what_was_seen(grove: Grove) -> None:
    file = await grove.file("a.txt", "/box")
    async with grove.database.reading() as tx:
        seen = (await grove.files.get_file(tx, grove.owner, file.id)).etag
    assert seen.startswith('"')

    async def rename(name: str, if_match: str) -> str:
        async with grove.database.transaction() as tx:
            patch = FilePatch(name=name)
            return (await grove.files.change_file(tx, grove.owner, file.id, patch, if_match)).etag

    after = await rename("b.txt", seen)
    assert after != seen
    with pytest.raises(Problem, match="412 stale"):
        await rename("c.txt", seen)
    with pytest.raises(Problem, match="412 stale"):
        async with grove.database.transaction() as tx:
            await grove.files.put_in_trash(tx, grove.owner, file.id, "file", seen)
    assert file.parent_id is not None
    await grove.change_folder(file.parent_id, name="chest")
    with pytest.raises(Problem, match="412 stale"):
        await rename("c.txt", after)
    await rename("c.txt", "*")


async def test_bad_names_are_refused_on_change_too(grove: Grove) -> None:
    file = await grove.file()
    for name in ("", "..", "a/b", "x" * 300, "gpj.\u202eexe", "a\0"):
        with pytest.raises(Problem, match="422 invalid-name"):
            await grove.change(file.id, name=name)
