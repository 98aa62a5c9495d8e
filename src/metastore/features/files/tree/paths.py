"""Resolving IDs and paths in an owner's tree: nodes, folders, free names, depth.

A caller that is about to change what it reads here must hold the owner's lock.
"""

from collections.abc import Sequence

from metastore.features.files import repository
from metastore.features.files.events import FolderCreated
from metastore.features.files.models import FILE, FOLDER, Node
from metastore.features.files.repository import Ancestor
from metastore.features.files.tree.names import (
    MAX_DEPTH,
    name_key,
    numbered_name,
    numbered_name_parts,
    split_path,
    too_deep,
)
from metastore.kit.clock import Clock
from metastore.kit.database.unit_of_work import Transaction
from metastore.kit.ids import new_id
from metastore.kit.problems.problem import Problem, not_found
from metastore.kit.problems.problem_codes import ProblemCode

ROOT = "/"


async def path_of_folder(tx: Transaction, folder_id: str | None) -> str:
    """Return the path of a folder; ``/`` for the root."""
    if folder_id is None:
        return ROOT
    return path_of(await repository.chain_to(tx, folder_id))


def path_of(nodes: Sequence[Ancestor]) -> str:
    """Return the path formed by these nodes, starting at the root."""
    return ROOT + "/".join(node.name for node in nodes)


def require_depth(levels: int) -> None:
    """Return if folders may nest ``levels`` deep.

    Raises:
        Problem: 422 ``path-too-deep``.
    """
    if levels > MAX_DEPTH:
        raise too_deep()


async def require_name_free(tx: Transaction, owner_id: str, folder_id: str | None, name: str) -> None:
    """Return if no node in the folder has this name.

    Raises:
        Problem: 409 ``name-taken``.
    """
    if await repository.find_by_name(tx, owner_id, folder_id, name) is not None:
        raise name_taken(name)


def name_taken(name: str) -> Problem:
    """Return 409 ``name-taken``."""
    return Problem(409, ProblemCode.NAME_TAKEN, f"The folder already contains an item named '{name}'.")


async def free_name(tx: Transaction, owner_id: str, folder_id: str | None, name: str, kind: str) -> str:
    """Return ``name``, numbered if it is taken in that folder."""
    prefix, _ = numbered_name_parts(name, folder=kind == FOLDER)
    taken = await repository.taken_names(tx, owner_id, folder_id, name, prefix)
    return numbered_name(name, taken, folder=kind == FOLDER)


async def folder_by_path(tx: Transaction, owner_id: str, path: str) -> list[Ancestor]:
    """Return the folder at ``path``, preceded by its ancestors, in one statement.

    Raises:
        Problem: 404 if there is none; 422 ``invalid-path`` or ``path-too-deep``.
    """
    names = split_path(path)
    nodes = await repository.resolve_path(tx, owner_id, names)
    if len(nodes) < len(names) or (nodes and nodes[-1].kind != FOLDER):
        raise not_found("folder")
    return nodes


async def place_for_file(tx: Transaction, owner_id: str, path: str, name: str, clock: Clock) -> tuple[str | None, str]:
    """Return the ID of the folder at ``path``, creating missing folders, and ``name``, numbered if it is taken there.

    Raises:
        Problem: 409 ``name-taken`` if the path leads through a file; 422 ``invalid-path`` or ``path-too-deep``.
    """
    names = split_path(path)
    found = await repository.resolve_path(tx, owner_id, (*names, name))
    folder_id = await _ensure_folders(tx, owner_id, names, found[: len(names)], clock)
    is_free = len(found) <= len(names)
    return folder_id, name if is_free else await free_name(tx, owner_id, folder_id, name, FILE)


async def _ensure_folders(
    tx: Transaction, owner_id: str, names: Sequence[str], existing: Sequence[Ancestor], clock: Clock
) -> str | None:
    if existing and existing[-1].kind == FILE:
        raise name_taken(existing[-1].name)
    parent_id = existing[-1].id if existing else None
    created = []
    for name in names[len(existing) :]:
        created.append(new_folder(owner_id, parent_id, name, clock))
        parent_id = created[-1].id
    if created:
        await repository.add_all(tx, created)
    for folder in created:
        record_folder_created(tx, folder)
    return parent_id


def new_folder(owner_id: str, parent_id: str | None, name: str, clock: Clock) -> Node:
    """Return a folder that is not stored yet; ``name`` must be normalized."""
    now = clock()
    return Node(
        id=new_id(),
        owner_id=owner_id,
        parent_id=parent_id,
        kind=FOLDER,
        name=name,
        name_key=name_key(name),
        created_at=now,
        updated_at=now,
    )


def record_folder_created(tx: Transaction, folder: Node) -> None:
    """Record ``folder.created``."""
    tx.record(
        FolderCreated(folder_id=folder.id, owner_id=folder.owner_id, name=folder.name, parent_id=folder.parent_id)
    )
