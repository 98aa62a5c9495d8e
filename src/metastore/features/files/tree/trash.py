"""Moving nodes to the trash and restoring them.

A trashed node takes everything live below it along. The node that was trashed is the *trash root* and represents the
others in the trash. What was in the trash before remains a trash root of its own, even if its folder is trashed or
purged later.
"""

from datetime import datetime

from metastore.features.files import repository
from metastore.features.files.events import FileRestored, FileTrashed, FolderRestored, FolderTrashed
from metastore.features.files.models import FOLDER, LocatedNode, Node
from metastore.features.files.tree.names import MAX_DEPTH, name_key
from metastore.features.files.tree.paths import free_name
from metastore.features.files.tree.trash_queries import mark_restored, mark_trashed
from metastore.kit.database.unit_of_work import Transaction
from metastore.kit.problems.problem import not_found


async def move_to_trash(tx: Transaction, node: LocatedNode, now: datetime) -> None:
    """Move a node to the trash with everything below it. The caller holds the owner's lock."""
    await mark_trashed(tx, node.id, now)
    if node.kind == FOLDER:
        tx.record(FolderTrashed(folder_id=node.id, owner_id=node.owner_id, name=node.name))
    else:
        tx.record(FileTrashed(file_id=node.id, owner_id=node.owner_id, name=node.name))


async def restore_from_trash(tx: Transaction, root_id: str) -> Node:
    """Restore a trash root to its folder, or to the root if the folder no longer exists or would nest too deep.

    If its name is taken by now, it becomes ``name (1)``. The caller holds the owner's lock.

    Raises:
        Problem: 404 if the node no longer exists.
    """
    root = await repository.find(tx, root_id)
    if root is None:
        raise not_found("item in the trash")
    if not await _fits_into_parent(tx, root):
        root.parent_id = None
    root.name = await free_name(tx, root.owner_id, root.parent_id, root.name, root.kind)
    root.name_key = name_key(root.name)
    await tx.session.flush()
    await mark_restored(tx, root.id)
    await tx.session.refresh(root)
    if root.kind == FOLDER:
        tx.record(FolderRestored(folder_id=root.id, owner_id=root.owner_id, name=root.name, parent_id=root.parent_id))
    else:
        tx.record(FileRestored(file_id=root.id, owner_id=root.owner_id, name=root.name, parent_id=root.parent_id))
    return root


async def _fits_into_parent(tx: Transaction, root: Node) -> bool:
    """Return whether the folder a trash root came from exists, is not in the trash, and has depth left for it."""
    if root.parent_id is None:
        return True
    parent = await repository.find(tx, root.parent_id)
    if parent is None or parent.trashed_at is not None:
        return False
    depth = len((await repository.ancestors_of(tx, [parent.id]))[parent.id])
    return depth + await repository.subtree_height(tx, root.id) <= MAX_DEPTH
