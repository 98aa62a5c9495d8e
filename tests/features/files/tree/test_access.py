"""Access to folders and files is proven by one module, and only to those who have it."""

from collections.abc import Awaitable, Callable

import pytest

from metastore.features.auth.schemas import Caller
from metastore.features.files.models import FILE, FOLDER
from metastore.features.files.tree import access
from metastore.features.files.tree.access import (
    Access,
    FolderAccess,
    Owner,
    authorize,
    authorize_change,
    authorize_file,
    authorize_folder,
    authorize_many,
    authorize_path,
    authorize_place,
    authorize_trashed,
    own_tree,
)
from metastore.features.files.tree.rights import OWNER, Right
from metastore.kit.database.unit_of_work import Transaction
from metastore.kit.ids import new_id
from metastore.kit.problems.problem import Problem
from tests.features.files.owner_tree import OwnerTree, items_of
from tests.fixtures.accounts import add_user, signed_in

Authorize = Callable[[Transaction, Caller, str], Awaitable[Access]]
OF_NODES: dict[str, Authorize] = {
    "node": lambda tx, principal, node_id: authorize(tx, principal, node_id, Right.VIEW),
    "file": lambda tx, principal, node_id: authorize_file(tx, principal, node_id, Right.VIEW),
    "change": lambda tx, principal, node_id: authorize_change(tx, principal, node_id, Right.EDIT),
}
OF_FOLDERS: dict[str, Authorize] = {
    "folder": lambda tx, principal, node_id: authorize_folder(tx, principal, node_id, Right.LIST),
    "place": authorize_place,
}
ALL = {**OF_NODES, **OF_FOLDERS}


async def refusal(tree: OwnerTree, function: Authorize, node_id: str) -> Problem:
    """Return the problem that the tree's owner gets."""
    async with tree.database.transaction() as tx:
        with pytest.raises(Problem) as caught:
            await function(tx, tree.caller, node_id)
    return caught.value


async def test_owners_have_access_to_their_files_and_folders(tree: OwnerTree) -> None:
    file = await tree.file("a.txt", "/box/small")
    assert file.parent_id
    async with tree.database.transaction() as tx:
        for found in (
            await authorize(tx, tree.caller, file.id, Right.SHARE),
            await authorize(tx, tree.caller, file.id, Right.DELETE, kind=FILE),
            await authorize_file(tx, tree.caller, file.id, Right.DOWNLOAD),
            await authorize_change(tx, tree.caller, file.id, Right.EDIT, kind=FILE),
        ):
            assert (tree.owner, file.id, "/box/small") == (found.owner_id, found.node.id, found.node.folder_path)
        for place in (
            await authorize_folder(tx, tree.caller, file.parent_id, Right.LIST),
            await authorize_place(tx, tree.caller, file.parent_id),
            await authorize_path(tx, tree.caller, "/box/small"),
        ):
            assert (tree.owner, file.parent_id, "/box/small") == (place.owner_id, place.folder_id, place.path)


async def test_the_root_is_a_place_of_its_owners_tree(tree: OwnerTree) -> None:
    async with tree.database.transaction() as tx:
        roots = [
            own_tree(tree.caller),
            await authorize_folder(tx, tree.caller, None, Right.ADD),
            await authorize_place(tx, tree.caller, None),
            await authorize_path(tx, tree.caller, "/"),
        ]
    assert {(tree.owner, None, "/")} == {(root.owner_id, root.folder_id, root.path) for root in roots}


@pytest.mark.parametrize("name", ALL)
async def test_what_belongs_to_somebody_else_does_not_exist(tree: OwnerTree, name: str) -> None:
    """The problem is the same as for an ID that nobody has; only the log tells the difference."""
    file = await tree.file("a.txt", "/box")
    tree.owner = await add_user(tree.database)
    node_id = file.id if name in OF_NODES else file.parent_id
    theirs, nobodys = await refusal(tree, ALL[name], node_id or ""), await refusal(tree, ALL[name], new_id())
    assert nobodys.body("/x") == theirs.body("/x")
    assert 404 == theirs.status
    assert (True, False) == (theirs.refused, nobodys.refused)


@pytest.mark.parametrize("function", [*ALL.values(), authorize_trashed])
@pytest.mark.parametrize("node_id", ["", "..", "x" * 36, "%00", "' OR 1=1 --"])
async def test_what_is_no_id_does_not_exist(tree: OwnerTree, function: Authorize, node_id: str) -> None:
    assert 404 == (await refusal(tree, function, node_id)).status


@pytest.mark.parametrize("function", ALL.values())
async def test_what_is_in_the_trash_does_not_exist(tree: OwnerTree, function: Authorize) -> None:
    """Nor does what was trashed with its folder."""
    file = await tree.file("a.txt", "/box/small")
    box = items_of(await tree.page())[0]
    await tree.trash(await tree.get_folder(str(box["id"])))
    for node_id in (file.id, file.parent_id, str(box["id"])):
        assert 404 == (await refusal(tree, function, node_id or "")).status


async def test_a_node_of_the_other_kind_does_not_exist(tree: OwnerTree) -> None:
    file = await tree.file("a.txt", "/box")
    assert file.parent_id
    for function, node_id in (
        (OF_NODES["file"], file.parent_id),
        (OF_FOLDERS["folder"], file.id),
        (OF_FOLDERS["place"], file.id),
    ):
        found = await refusal(tree, function, node_id)
        assert (404, False) == (found.status, found.refused)
    async with tree.database.reading() as tx:
        with pytest.raises(Problem, match="404"):
            await authorize(tx, tree.caller, file.id, Right.VIEW, kind=FOLDER)


async def test_owners_alone_have_access_to_their_trash(tree: OwnerTree) -> None:
    """And there only to what was trashed itself, not to what went with it."""
    live, file = await tree.file("live.txt"), await tree.file("a.txt", "/box")
    box = await tree.get_folder(file.parent_id or "")
    await tree.trash(box)
    async with tree.database.transaction() as tx:
        assert box.id == (await authorize_trashed(tx, tree.caller, box.id)).node.id
    for node_id in (file.id, live.id):
        assert 404 == (await refusal(tree, authorize_trashed, node_id)).status
    tree.owner = await add_user(tree.database)
    assert (await refusal(tree, authorize_trashed, box.id)).refused


async def test_many_nodes_are_proven_in_one_go_and_the_others_left_out(tree: OwnerTree) -> None:
    mine, trashed = await tree.file("mine.txt"), await tree.file("trashed.txt")
    await tree.trash(trashed)
    me, tree.owner = tree.caller, await add_user(tree.database)
    theirs = await tree.file("theirs.txt")
    async with tree.database.reading() as tx:
        found = await authorize_many(tx, me, [theirs.id, mine.id, trashed.id, new_id()])
        assert {mine.id: mine.id} == {node_id: proof.node.id for node_id, proof in found.items()}
        assert {} == await authorize_many(tx, me, [])


def test_nobody_else_can_make_a_proof() -> None:
    caller = signed_in(new_id())
    with pytest.raises(TypeError, match="only this module"):
        FolderAccess(caller, Owner(caller.id, "Me"), None, OWNER, access._Maker(), (), 0)
