"""Renaming, moving and publishing one node, all at once or not at all."""

from metastore.features.files import repository, tree
from metastore.features.files.etags import require_match
from metastore.features.files.events import (
    FileMoved,
    FileRenamed,
    FileVisibilityChanged,
    FolderMoved,
    FolderRenamed,
)
from metastore.features.files.models import FOLDER, Node
from metastore.features.files.names import checked_name, name_key
from metastore.features.files.presentation import etag_of
from metastore.features.files.schemas import FilePatch, FolderPatch
from metastore.kit.clock import Clock
from metastore.kit.database import Transaction


async def change(
    tx: Transaction,
    owner_id: str,
    node_id: str,
    kind: str,
    patch: FolderPatch | FilePatch,
    *,
    if_match: str | None,
    clock: Clock,
) -> tuple[Node, str]:
    """Make the changes in ``patch`` and return the node and the path of its folder.

    What is as it was is no change: no new version, no fact.

    Raises:
        Problem: 404; 409 ``name-taken`` or ``move-into-itself``; 412 ``stale``; 422 ``invalid-name`` or
            ``path-too-deep``.
    """
    name = None if patch.name is None else checked_name(patch.name)
    await repository.lock_owner(tx, owner_id)
    node = await tree.owned_alive(tx, owner_id, node_id, kind)
    folder_path = await tree.path_of_folder(tx, node.parent_id)
    require_match(if_match, etag_of(node, folder_path))

    old_name, old_parent = node.name, node.parent_id
    new_name = old_name if name is None else name
    new_parent = patch.parent_id if patch.moves else old_parent
    visibility = patch.visibility if isinstance(patch, FilePatch) and patch.visibility else node.visibility
    if (new_name, new_parent, visibility) == (old_name, old_parent, node.visibility):
        return node, folder_path

    if new_parent != old_parent:
        folder_path = await _enter(tx, node, new_parent)
    if (new_name, new_parent) != (old_name, old_parent):
        await tree.require_free(tx, owner_id, new_parent, new_name)
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


async def _enter(tx: Transaction, node: Node, folder_id: str | None) -> str:
    """The path of the folder that ``node`` may move to."""
    height = await repository.height_of(tx, node.id) if node.kind == FOLDER else 0
    way = await tree.room_below(tx, node.owner_id, folder_id, height, moving=node.id)
    return tree.path_along(way)


def _record_rename(tx: Transaction, node: Node, old_name: str) -> None:
    if node.kind == FOLDER:
        tx.record(FolderRenamed(folder_id=node.id, owner_id=node.owner_id, name=node.name, old_name=old_name))
    else:
        tx.record(FileRenamed(file_id=node.id, owner_id=node.owner_id, name=node.name, old_name=old_name))


def _record_move(tx: Transaction, node: Node, old_parent_id: str | None) -> None:
    about = {"parent_id": node.parent_id, "old_parent_id": old_parent_id}
    if node.kind == FOLDER:
        tx.record(FolderMoved(folder_id=node.id, owner_id=node.owner_id, name=node.name, **about))
    else:
        tx.record(FileMoved(file_id=node.id, owner_id=node.owner_id, name=node.name, **about))
