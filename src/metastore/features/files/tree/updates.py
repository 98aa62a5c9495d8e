"""Renaming, moving and publishing a node in one update."""

from metastore.features.files import repository
from metastore.features.files.events import (
    FileMoved,
    FileRenamed,
    FileVisibilityChanged,
    FolderMoved,
    FolderRenamed,
)
from metastore.features.files.models import FOLDER, Node
from metastore.features.files.representation.etags import require_match
from metastore.features.files.representation.serialization import etag_of
from metastore.features.files.schemas import FilePatch, FolderPatch
from metastore.features.files.tree.names import name_key, normalize_name
from metastore.features.files.tree.paths import (
    path_of,
    path_of_folder,
    require_name_free,
    target_folder,
    untrashed_node,
)
from metastore.kit.clock import Clock
from metastore.kit.database.unit_of_work import Transaction


async def update_node(
    tx: Transaction,
    owner_id: str,
    node_id: str,
    kind: str,
    patch: FolderPatch | FilePatch,
    *,
    if_match: str | None,
    clock: Clock,
) -> tuple[Node, str]:
    """Apply ``patch`` and return the node and the path of its folder.

    A patch that changes nothing leaves the version alone and records no event.

    Raises:
        Problem: 404; 409 ``name-taken`` or ``move-into-itself``; 412 ``stale``; 422 ``invalid-name`` or
            ``path-too-deep``.
    """
    name = None if patch.name is None else normalize_name(patch.name)
    await repository.lock_owner(tx, owner_id)
    node = await untrashed_node(tx, owner_id, node_id, kind)
    folder_path = await path_of_folder(tx, node.parent_id)
    require_match(if_match, etag_of(node, folder_path))

    old_name, old_parent = node.name, node.parent_id
    new_name = old_name if name is None else name
    new_parent = patch.parent_id if patch.moves else old_parent
    visibility = patch.visibility if isinstance(patch, FilePatch) and patch.visibility else node.visibility
    if (new_name, new_parent, visibility) == (old_name, old_parent, node.visibility):
        return node, folder_path

    if new_parent != old_parent:
        folder_path = await _target_path(tx, node, new_parent)
    if (new_name, new_parent) != (old_name, old_parent):
        await require_name_free(tx, owner_id, new_parent, new_name)
    if visibility != node.visibility:
        tx.record(FileVisibilityChanged(file_id=node.id, owner_id=owner_id, name=new_name, visibility=visibility))
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


async def _target_path(tx: Transaction, node: Node, folder_id: str | None) -> str:
    """Return the path of the folder ``node`` is moving to, if it may move there."""
    height = await repository.subtree_height(tx, node.id) if node.kind == FOLDER else 0
    return path_of(await target_folder(tx, node.owner_id, folder_id, height, moving=node.id))


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
