"""Renaming, moving and publishing a node in one update."""

from collections.abc import Sequence

from metastore.features.files import repository
from metastore.features.files.events import (
    FileMoved,
    FileRenamed,
    FileVisibilityChanged,
    FolderMoved,
    FolderRenamed,
)
from metastore.features.files.models import FOLDER, LocatedNode, Node
from metastore.features.files.repository import Ancestor
from metastore.features.files.representation.etags import require_match
from metastore.features.files.representation.serialization import etag_of
from metastore.features.files.schemas import FilePatch, FolderPatch
from metastore.features.files.tree.names import name_key, normalize_name
from metastore.features.files.tree.paths import path_of, require_depth, require_name_free
from metastore.kit.clock import Clock
from metastore.kit.database.unit_of_work import Transaction
from metastore.kit.problems.problem import Problem, not_found
from metastore.kit.problems.problem_codes import ProblemCode


async def update_node(
    tx: Transaction,
    located: LocatedNode,
    patch: FolderPatch | FilePatch,
    target: Sequence[Ancestor] | None,
    *,
    if_match: str | None,
    clock: Clock,
) -> tuple[Node, str]:
    """Apply ``patch`` and return the node and the path of its folder. The owner's lock must be held.

    ``target`` is the folder to move to, preceded by its ancestors; empty for the root, ``None`` to stay. A patch that
    changes nothing leaves the version alone and records no event.

    Raises:
        Problem: 409 ``name-taken`` or ``move-into-itself``; 412 ``stale``; 422 ``invalid-name`` or ``path-too-deep``.
    """
    name = None if patch.name is None else normalize_name(patch.name)
    folder_path = located.folder_path
    require_match(if_match, etag_of(located, folder_path))
    node = await repository.find(tx, located.id)
    if node is None:
        raise not_found(located.kind)

    old_name, old_parent = node.name, node.parent_id
    new_name = old_name if name is None else name
    new_parent = old_parent if target is None else _id_of(target)
    visibility = patch.visibility if isinstance(patch, FilePatch) and patch.visibility else node.visibility
    if (new_name, new_parent, visibility) == (old_name, old_parent, node.visibility):
        return node, folder_path

    if target is not None and new_parent != old_parent:
        await _require_place(tx, node, target)
        folder_path = path_of(target)
    if (new_name, new_parent) != (old_name, old_parent):
        await require_name_free(tx, node.owner_id, new_parent, new_name)
    if visibility != node.visibility:
        tx.record(FileVisibilityChanged(file_id=node.id, owner_id=node.owner_id, name=new_name, visibility=visibility))
    node.name, node.name_key = new_name, name_key(new_name)
    node.parent_id = new_parent
    node.visibility = visibility
    node.version += 1
    node.updated_at = clock()
    await tx.session.flush()
    if new_name != old_name:
        _record_rename(tx, node, old_name)
    if new_parent != old_parent:
        _record_move(tx, node, old_parent)
    return node, folder_path


def _id_of(folders: Sequence[Ancestor]) -> str | None:
    return folders[-1].id if folders else None


async def _require_place(tx: Transaction, node: Node, target: Sequence[Ancestor]) -> None:
    """Return if ``node`` may move to ``target``."""
    if any(folder.id == node.id for folder in target):
        raise Problem(
            409, ProblemCode.MOVE_INTO_ITSELF, "A folder cannot be moved into itself or into one of its subfolders."
        )
    height = await repository.subtree_height(tx, node.id) if node.kind == FOLDER else 0
    require_depth(len(target) + height)


def _record_rename(tx: Transaction, node: Node, old_name: str) -> None:
    if node.kind == FOLDER:
        tx.record(FolderRenamed(folder_id=node.id, owner_id=node.owner_id, name=node.name, old_name=old_name))
    else:
        tx.record(FileRenamed(file_id=node.id, owner_id=node.owner_id, name=node.name, old_name=old_name))


def _record_move(tx: Transaction, node: Node, old_parent_id: str | None) -> None:
    parents = {"parent_id": node.parent_id, "old_parent_id": old_parent_id}
    if node.kind == FOLDER:
        tx.record(FolderMoved(folder_id=node.id, owner_id=node.owner_id, name=node.name, **parents))
    else:
        tx.record(FileMoved(file_id=node.id, owner_id=node.owner_id, name=node.name, **parents))
