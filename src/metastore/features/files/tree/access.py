"""Who may do what: the one place where access to folders and files is decided.

An endpoint turns the ID or path in a request into a proof, and passes the proof on::

    access = await authorize_file(tx, caller, file_id)
    return await files.get_file(tx, access)

A ``NodeAccess`` is about a file or folder itself, a ``FolderAccess`` about a folder as a place: what lies in it, and
what is to be put there. Services take proofs, never the ID of a node or of its owner, and no other module can make one.

Users have access to what they own. Anything else is 404, in the same words as what does not exist; so is what is in the
trash, except for ``authorize_trashed``.

A proof holds for the transaction that it was made in. Before a change, ``authorize_change``, ``authorize_place`` and
``authorize_trashed`` lock the owner's tree, so that what was checked still holds at the commit.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from metastore.features.auth.schemas import Caller
from metastore.features.files import repository
from metastore.features.files.models import FILE, FOLDER, PURGING, LocatedNode
from metastore.features.files.repository import Ancestor
from metastore.features.files.tree.located_nodes import located_nodes
from metastore.features.files.tree.paths import folder_by_path, path_of
from metastore.kit.database.unit_of_work import Transaction
from metastore.kit.ids import is_id
from metastore.kit.problems.problem import Problem, not_found


class _Maker:
    """What the functions of this module pass to the proofs that they make."""


_MAKER = _Maker()


@dataclass(frozen=True, slots=True)
class Access:
    """A proof that ``caller`` has access to something in the tree of ``owner_id``."""

    caller: Caller
    owner_id: str
    maker: _Maker = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse to be made by anything but this module.

        Raises:
            TypeError: it is.
        """
        if self.maker is not _MAKER:
            raise TypeError("only this module proves access")


@dataclass(frozen=True, slots=True)
class NodeAccess(Access):
    """A proof of access to a file or folder."""

    node: LocatedNode


@dataclass(frozen=True, slots=True)
class FolderAccess(Access):
    """A proof of access to a folder as a place, or to the root of a tree.

    ``chain`` is the folder, preceded by its ancestors; empty for the root.
    """

    chain: Sequence[Ancestor]

    @property
    def folder_id(self) -> str | None:
        """The folder's ID; ``None`` for the root."""
        return self.chain[-1].id if self.chain else None

    @property
    def path(self) -> str:
        """The folder's path; ``/`` is the root."""
        return path_of(self.chain)


def own_tree(caller: Caller) -> FolderAccess:
    """Return the proof for the root of the caller's own tree."""
    return FolderAccess(caller, caller.id, _MAKER, ())


async def authorize(tx: Transaction, caller: Caller, node_id: str, *, kind: str | None = None) -> NodeAccess:
    """Return the proof for a node that is not in the trash.

    Raises:
        Problem: 404 if there is no such node of that ``kind`` that the caller has access to.
    """
    node = await _node(tx, node_id)
    if node is None or node.owner_id != caller.id or _is_trashed(node) or kind not in (None, node.kind):
        raise _nothing(kind or "file or folder", caller, node)
    return NodeAccess(caller, node.owner_id, _MAKER, node)


async def authorize_file(tx: Transaction, caller: Caller, file_id: str) -> NodeAccess:
    """Do as ``authorize``, for a file."""
    return await authorize(tx, caller, file_id, kind=FILE)


async def authorize_many(tx: Transaction, caller: Caller, node_ids: Sequence[str]) -> dict[str, NodeAccess]:
    """Return, by ID, the proofs for those of the nodes that the caller has access to and that are not in the trash."""
    nodes = await located_nodes(tx, node_ids)
    found = [node for node in nodes if node.owner_id == caller.id and not _is_trashed(node)]
    return {node.id: NodeAccess(caller, node.owner_id, _MAKER, node) for node in found}


async def authorize_change(tx: Transaction, caller: Caller, node_id: str, *, kind: str | None = None) -> NodeAccess:
    """Do as ``authorize``, and keep the owner's tree locked against other changes until the transaction ends."""
    await repository.lock_owner(tx, caller.id)
    return await authorize(tx, caller, node_id, kind=kind)


async def authorize_trashed(tx: Transaction, caller: Caller, node_id: str) -> NodeAccess:
    """Return the proof for a trash root, with its owner's tree locked.

    Raises:
        Problem: 404 if the caller has no such trash root.
    """
    await repository.lock_owner(tx, caller.id)
    node = await _node(tx, node_id)
    if node is None or node.owner_id != caller.id or node.trash_state in (None, PURGING):
        raise _nothing("item in the trash", caller, node)
    return NodeAccess(caller, node.owner_id, _MAKER, node)


async def authorize_folder(tx: Transaction, caller: Caller, folder_id: str | None) -> FolderAccess:
    """Return the proof for a folder that is not in the trash; ``None`` is the root of the caller's own tree.

    Raises:
        Problem: 404 if there is no such folder that the caller has access to.
    """
    if folder_id is None:
        return own_tree(caller)
    chain = await repository.chain_to(tx, folder_id) if is_id(folder_id) else []
    folder = chain[-1] if chain else None
    if folder is None or folder.owner_id != caller.id or folder.kind != FOLDER or folder.trashed_at is not None:
        raise _nothing("folder", caller, folder)
    return FolderAccess(caller, folder.owner_id, _MAKER, chain)


async def authorize_path(tx: Transaction, caller: Caller, path: str) -> FolderAccess:
    """Return the proof for the folder at a path of the caller's own tree.

    Raises:
        Problem: 404 if there is none; 422 ``invalid-path`` or ``path-too-deep``.
    """
    return FolderAccess(caller, caller.id, _MAKER, await folder_by_path(tx, caller.id, path))


async def authorize_place(tx: Transaction, caller: Caller, folder_id: str | None) -> FolderAccess:
    """Do as ``authorize_folder``, and keep the owner's tree locked against other changes until the transaction ends."""
    await repository.lock_owner(tx, caller.id)
    return await authorize_folder(tx, caller, folder_id)


async def _node(tx: Transaction, node_id: str) -> LocatedNode | None:
    nodes = await located_nodes(tx, [node_id]) if is_id(node_id) else []
    return nodes[0] if nodes else None


def _is_trashed(node: LocatedNode) -> bool:
    return node.trashed_at is not None or node.trash_state is not None


def _nothing(what: str, caller: Caller, found: LocatedNode | Ancestor | None) -> Problem:
    return not_found(what, refused=found is not None and found.owner_id != caller.id)
