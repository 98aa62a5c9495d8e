"""Renaming, moving and changing the visibility."""

import pytest

from metastore.features.files.tree.access import authorize_file
from metastore.features.files.tree.rights import Right
from metastore.kit.ids import new_id
from metastore.kit.problems.problem import Problem
from tests.features.files.owner_tree import OwnerTree
from tests.fixtures.accounts import add_user


async def test_a_file_is_renamed(tree: OwnerTree) -> None:
    file = await tree.file("draft.txt", "/docs")
    tree.clock.forward(60)
    renamed = await tree.change(file.id, name=" final.txt ")
    assert (renamed.name, renamed.path) == ("final.txt", "/docs/final.txt")
    assert renamed.updated_at > file.updated_at
    event = (await tree.events("file.renamed"))[0]
    assert (event.payload["name"], event.payload["oldName"]) == ("final.txt", "draft.txt")


async def test_a_taken_name_is_rejected_and_nothing_changes(tree: OwnerTree) -> None:
    await tree.folder("taken")
    file = await tree.file("a.txt")
    with pytest.raises(Problem, match="409 name-taken"):
        await tree.change(file.id, name="taken", visibility="PUBLIC")
    assert await tree.get(file.id) == file


async def test_a_rename_may_change_only_the_case(tree: OwnerTree) -> None:
    assert (await tree.change_folder((await tree.folder("photos")).id, name="Photos")).name == "Photos"


async def test_an_unchanged_node_keeps_its_version_and_records_nothing(tree: OwnerTree) -> None:
    file = await tree.file("a.txt")
    before = await tree.event_types()
    tree.clock.forward(60)
    assert await tree.change(file.id, name="a.txt", parentId=None, visibility="PRIVATE") == file
    assert await tree.change(file.id) == file
    assert await tree.event_types() == before


async def test_renaming_a_folder_changes_the_paths_below_it(tree: OwnerTree) -> None:
    file = await tree.file("a.txt", "/old/inner")
    folder_id = (await tree.page(path="/old"))["folder"]["id"]  # type: ignore[index, call-overload]  # JSON
    await tree.change_folder(str(folder_id), name="new")
    assert (await tree.get(file.id)).path == "/new/inner/a.txt"


async def test_a_file_moves_into_a_folder_and_back_to_the_root(tree: OwnerTree) -> None:
    folder, file = await tree.folder("box"), await tree.file("a.txt")
    assert (await tree.change(file.id, parentId=folder.id)).path == "/box/a.txt"
    assert (await tree.change(file.id, name="b.txt")).parent_id == folder.id
    moved = await tree.change(file.id, parentId=None, name="c.txt")
    assert (moved.path, moved.parent_id) == ("/c.txt", None)
    assert [event.payload["parentId"] for event in await tree.events("file.moved")] == [folder.id, None]


async def test_a_move_to_a_taken_name_is_rejected(tree: OwnerTree) -> None:
    file, other = await tree.file("a.txt"), await tree.file("a.txt", "/box")
    with pytest.raises(Problem, match="409 name-taken"):
        await tree.change(file.id, parentId=other.parent_id)


async def test_a_file_is_made_public_and_private_again(tree: OwnerTree) -> None:
    file = await tree.file()
    assert (await tree.change(file.id, visibility="PUBLIC")).visibility == "PUBLIC"
    assert (await tree.change(file.id, visibility="PRIVATE")).visibility == "PRIVATE"
    events = await tree.events("file.visibility_changed")
    assert [event.payload["visibility"] for event in events] == ["PUBLIC", "PRIVATE"]


async def test_a_folder_cannot_be_moved_into_itself_or_below(tree: OwnerTree) -> None:
    outer = await tree.folder("outer")
    inner = await tree.folder("inner", outer.id)
    deep = await tree.folder("deep", inner.id)
    for target in (outer, inner, deep):
        with pytest.raises(Problem, match="409 move-into-itself"):
            await tree.change_folder(outer.id, parentId=target.id)
    assert (await tree.change_folder(deep.id, parentId=outer.id)).path == "/outer/deep"
    assert (await tree.change_folder(inner.id, parentId=deep.id)).path == "/outer/deep/inner"


async def test_a_move_nests_no_deeper_than_64(tree: OwnerTree) -> None:
    bottom = await tree.file("a.txt", "/".join(["d"] * 62))
    deep = await tree.folder("tree")
    await tree.folder("leaf", (await tree.folder("branch", deep.id)).id)
    with pytest.raises(Problem, match="422 path-too-deep"):
        await tree.change_folder(deep.id, parentId=bottom.parent_id)
    lone = await tree.folder("lone")
    await tree.folder("below", lone.id)
    assert (await tree.change_folder(lone.id, parentId=bottom.parent_id)).path.count("/") == 63


async def test_a_move_to_an_unknown_folder_is_not_found(tree: OwnerTree) -> None:
    file, other = await tree.file("a.txt"), await tree.file("b.txt")
    trashed = await tree.folder("trashed")
    await tree.trash(trashed)
    me, tree.owner = tree.owner, await add_user(tree.database)
    theirs = await tree.folder("theirs")
    tree.owner = me
    for target in (other.id, trashed.id, theirs.id, new_id(), "..", ""):
        with pytest.raises(Problem, match="404"):
            await tree.change(file.id, parentId=target)


async def test_another_users_file_cannot_be_changed(tree: OwnerTree) -> None:
    file = await tree.file()
    tree.owner = await add_user(tree.database)
    for attempt in (tree.get(file.id), tree.change(file.id, name="x"), tree.trash(file)):
        with pytest.raises(Problem, match="404") as caught:
            await attempt
        assert caught.value.refused


async def test_if_match_admits_only_one_of_several_concurrent_changes(tree: OwnerTree) -> None:
    file = await tree.file("a.txt", "/box")

    async def etag() -> str:
        async with tree.database.reading() as tx:
            return (await tree.files.get_file(tx, await authorize_file(tx, tree.caller, file.id, Right.VIEW))).etag

    seen = await etag()
    assert seen.startswith('"')
    await tree.change(file.id, name="b.txt", if_match=seen)
    after = await etag()
    assert after != seen
    with pytest.raises(Problem, match="412 stale"):
        await tree.change(file.id, name="c.txt", if_match=seen)
    with pytest.raises(Problem, match="412 stale"):
        await tree.trash(file, seen)
    assert file.parent_id is not None
    await tree.change_folder(file.parent_id, name="chest")
    with pytest.raises(Problem, match="412 stale"):
        await tree.change(file.id, name="c.txt", if_match=after)
    await tree.change(file.id, name="c.txt", if_match="*")


async def test_invalid_names_are_rejected_on_rename(tree: OwnerTree) -> None:
    file = await tree.file()
    for name in ("", "..", "a/b", "x" * 300, "gpj.\u202eexe", "a\0"):
        with pytest.raises(Problem, match="422 invalid-name"):
            await tree.change(file.id, name=name)
