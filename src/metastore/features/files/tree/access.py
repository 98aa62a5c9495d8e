"""Who may do what: the one place where access to folders and files is decided.

An endpoint turns the ID or path in a request into a proof, and passes the proof on::

    access = await authorize_file(tx, caller, file_id, Right.VIEW)
    return await files.get_file(tx, access)

A ``NodeAccess`` is about a file or folder itself, a ``FolderAccess`` about a folder as a place: what lies in it, and
what is to be put there. Services take proofs, never the ID of a node or of its owner, and no other module can make one.

**Owners** have all rights on what they own. **Others**, users and visitors of share links, have those that grants give
them (``grants``), on the node or on a folder above it, all their grants together. They see a tree that begins with the
topmost node that was granted to them: nothing above it is in paths, breadcrumbs or IDs. That node itself they can
neither move nor delete.

What a caller may not see is 404, in the same words as what does not exist; so is what is in the trash, except for
``authorize_trashed``. What may be seen but not done is 403 ``not-permitted``.

A proof holds for the transaction that it was made in. Before a change, ``authorize_change``, ``authorize_place`` and
``authorize_trashed`` lock the owner's tree, so that what was checked still holds at the commit.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import TypeGuard

from metastore.features.auth.schemas import Caller, Principal
from metastore.features.files import repository
from metastore.features.files.models import FILE, FOLDER, PURGING, LocatedNode
from metastore.features.files.repository import Ancestor
from metastore.features.files.tree import grants
from metastore.features.files.tree.grants import ReachingGrant
from metastore.features.files.tree.located_nodes import located_nodes
from metastore.features.files.tree.paths import ROOT, folder_by_path, path_of
from metastore.features.files.tree.rights import NOTHING, OWNER, Right
from metastore.kit.clock import utc_now
from metastore.kit.database.unit_of_work import Transaction
from metastore.kit.ids import is_id
from metastore.kit.problems.problem import Problem, not_found
from metastore.kit.problems.problem_codes import ProblemCode


class _Maker:
    """What the functions of this module pass to the proofs that they make."""


_MAKER = _Maker()


@dataclass(frozen=True, slots=True)
class Owner:
    """Who owns a tree, as others see it."""

    id: str
    display_name: str


@dataclass(frozen=True, slots=True)
class Access:
    """A proof that ``principal`` has ``rights`` on something in the tree of ``owner``.

    ``root_id`` is the topmost node of that tree that the principal sees; ``None`` for its owner.
    """

    principal: Principal
    owner: Owner
    root_id: str | None
    rights: Right
    maker: _Maker = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse to be made by anything but this module.

        Raises:
            TypeError: it is.
        """
        if self.maker is not _MAKER:
            raise TypeError("only this module proves access")

    @property
    def owner_id(self) -> str:
        """The ID of the tree's owner."""
        return self.owner.id

    def require(self, right: Right) -> None:
        """Return if ``right`` is among the rights.

        Raises:
            Problem: 403 ``not-permitted``.
        """
        if right not in self.rights:
            raise Problem(403, ProblemCode.NOT_PERMITTED, "The owner of this does not allow you to do that.")


@dataclass(frozen=True, slots=True)
class NodeAccess(Access):
    """A proof of access to a file or folder. ``node`` has the path and the parent that the caller may see."""

    node: LocatedNode


@dataclass(frozen=True, slots=True)
class FolderAccess(Access):
    """A proof of access to a folder as a place, or to the root of the caller's own tree.

    ``chain`` is the folder, preceded by those of its ancestors that the caller sees; empty for the root. ``depth`` is
    the number of all its ancestors, itself included.
    """

    chain: Sequence[Ancestor]
    depth: int

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
    return _own_folder(caller, ())


async def authorize(
    tx: Transaction, principal: Principal, node_id: str, right: Right, *, kind: str | None = None
) -> NodeAccess:
    """Return the proof that the caller has ``right`` on a node that is not in the trash.

    Raises:
        Problem: 404 if there is no such node of that ``kind`` that the caller may see; 403 ``not-permitted``.
    """
    nodes = await located_nodes(tx, [node_id]) if is_id(node_id) else []
    access = (await _prove(tx, principal, nodes)).get(node_id)
    if access is None or kind not in (None, access.node.kind):
        raise _nothing(kind or "file or folder", principal, None if access else nodes)
    access.require(right)
    return access


async def authorize_file(tx: Transaction, principal: Principal, file_id: str, right: Right) -> NodeAccess:
    """Do as ``authorize``, for a file."""
    return await authorize(tx, principal, file_id, right, kind=FILE)


async def authorize_many(tx: Transaction, principal: Principal, node_ids: Sequence[str]) -> dict[str, NodeAccess]:
    """Return, by ID, the proofs for those of the nodes that the caller may see, in one or two statements."""
    return await _prove(tx, principal, await located_nodes(tx, node_ids))


async def authorize_change(
    tx: Transaction, principal: Principal, node_id: str, right: Right, *, kind: str | None = None
) -> NodeAccess:
    """Do as ``authorize``, and keep the owner's tree locked against other changes until the transaction ends."""
    access = await authorize(tx, principal, node_id, right, kind=kind)
    if tx.dialect == "sqlite":  # has a single writer
        return access
    await repository.lock_owner(tx, access.owner_id)
    return await authorize(tx, principal, node_id, right, kind=kind)


async def authorize_trashed(tx: Transaction, caller: Caller, node_id: str) -> NodeAccess:
    """Return the proof for a trash root, with its owner's tree locked. Only owners see their trash.

    Raises:
        Problem: 404 if the caller has no such trash root.
    """
    await repository.lock_owner(tx, caller.id)
    nodes = await located_nodes(tx, [node_id]) if is_id(node_id) else []
    if not nodes or nodes[0].owner_id != caller.id or nodes[0].trash_state in (None, PURGING):
        raise _nothing("item in the trash", caller, nodes)
    return _own_node(caller, nodes[0])


async def authorize_folder(tx: Transaction, principal: Principal, folder_id: str | None, right: Right) -> FolderAccess:
    """Return the proof that the caller has ``right`` in a folder; ``None`` is the root of the caller's own tree.

    Raises:
        Problem: 404 if there is no such folder that the caller may see; 403 ``not-permitted``.
    """
    if folder_id is None and isinstance(principal, Caller):
        return own_tree(principal)
    chain = await repository.chain_to(tx, folder_id) if folder_id and is_id(folder_id) else []
    if folder_id is None or not chain or chain[-1].kind != FOLDER or chain[-1].trashed_at is not None:
        raise _nothing("folder", principal, chain[-1:])
    if _owns(principal, chain[-1].owner_id):
        return _own_folder(principal, chain)
    reaching = await grants.grants_reaching(tx, [folder_id], principal.subject_id, principal.grant_version, utc_now())
    if not reaching:
        raise _nothing("folder", principal, chain[-1:])
    root, rights = _combined(reaching)
    visible = chain[len(chain) - 1 - root.height :]
    visible[0] = visible[0]._replace(parent_id=None)
    owner = Owner(chain[-1].owner_id, root.owner_name)
    access = FolderAccess(principal, owner, root.root_id, rights, _MAKER, visible, len(chain))
    access.require(right)
    return access


async def authorize_path(tx: Transaction, caller: Caller, path: str) -> FolderAccess:
    """Return the proof for the folder at a path of the caller's own tree.

    Raises:
        Problem: 404 if there is none; 422 ``invalid-path`` or ``path-too-deep``.
    """
    return _own_folder(caller, await folder_by_path(tx, caller.id, path))


async def authorize_place(tx: Transaction, principal: Principal, folder_id: str | None) -> FolderAccess:
    """Return the proof that the caller may put something into a folder, with its owner's tree locked.

    Raises:
        Problem: 404 if there is no such folder that the caller may see; 403 ``not-permitted``.
    """
    access = await authorize_folder(tx, principal, folder_id, Right.ADD)
    await repository.lock_owner(tx, access.owner_id)
    return access if tx.dialect == "sqlite" else await authorize_folder(tx, principal, folder_id, Right.ADD)


async def _prove(tx: Transaction, principal: Principal, nodes: Sequence[LocatedNode]) -> dict[str, NodeAccess]:
    live = [node for node in nodes if node.trashed_at is None and node.trash_state is None]
    others = [node.id for node in live if not _owns(principal, node.owner_id)]
    reaching = await grants.grants_reaching(tx, others, principal.subject_id, principal.grant_version, utc_now())
    granted = {start: list(found) for start, found in groupby(reaching, lambda grant: grant.start)}
    proofs = {}
    for node in live:
        if _owns(principal, node.owner_id):
            proofs[node.id] = _own_node(principal, node)
        elif node.id in granted:
            proofs[node.id] = _granted_node(principal, node, granted[node.id])
    return proofs


def _own_node(caller: Caller, node: LocatedNode) -> NodeAccess:
    return NodeAccess(caller, Owner(caller.id, caller.display_name), None, OWNER, _MAKER, node)


def _own_folder(caller: Caller, chain: Sequence[Ancestor]) -> FolderAccess:
    return FolderAccess(caller, Owner(caller.id, caller.display_name), None, OWNER, _MAKER, chain, len(chain))


def _owns(principal: Principal, owner_id: str) -> TypeGuard[Caller]:
    return isinstance(principal, Caller) and principal.id == owner_id


def _granted_node(principal: Principal, node: LocatedNode, reaching: Sequence[ReachingGrant]) -> NodeAccess:
    root, rights = _combined(reaching)
    seen = node._replace(folder_path=root.folder_path or ROOT)
    if root.root_id == node.id:
        seen, rights = seen._replace(parent_id=None), rights & ~Right.DELETE
    return NodeAccess(principal, Owner(node.owner_id, root.owner_name), root.root_id, rights, _MAKER, seen)


def _combined(reaching: Sequence[ReachingGrant]) -> tuple[ReachingGrant, Right]:
    """Return the topmost of the grants that reach a node, and the rights of all of them."""
    rights = NOTHING
    for grant in reaching:
        rights |= Right(grant.rights)
    return max(reaching, key=lambda grant: grant.height), rights


def _nothing(what: str, principal: Principal, found: Sequence[LocatedNode | Ancestor] | None) -> Problem:
    return not_found(what, refused=any(node.owner_id != principal.subject_id for node in found or ()))
