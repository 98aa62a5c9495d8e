"""The trash: things put away, taken back, and given up for good.

Whatever is put away goes with all that is alive below it; the node that was meant is the *trash root* and stands for
them in the trash. What lay in the trash before stays a root of its own, even when its folder follows or is purged.

Purging is done in batches, so that a tree of any size holds nobody up: a root is first marked PURGING, at which
point it is gone for its owner; its rows then go in bounded transactions, the root last. If the process dies in between,
the reaper goes on. Quota is given back in the transaction that deletes the row.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from metastore.features.auth import quota
from metastore.features.files import repository, trash_queries, tree
from metastore.features.files.events import (
    FilePurged,
    FileRestored,
    FileTrashed,
    FolderPurged,
    FolderRestored,
    FolderTrashed,
)
from metastore.features.files.models import FOLDER, PURGING, UPLOADING, Node
from metastore.features.files.names import MAX_DEPTH, name_key
from metastore.features.files.trash_queries import PurgedNode
from metastore.kit.database import Transaction
from metastore.kit.problem import not_found


async def put_in(tx: Transaction, node: Node, now: datetime) -> None:
    """Put a node in the trash with all below it. The caller holds the owner's lock."""
    await trash_queries.mark_trashed(tx, node.id, now)
    if node.kind == FOLDER:
        tx.record(FolderTrashed(folder_id=node.id, owner_id=node.owner_id, name=node.name))
    else:
        tx.record(FileTrashed(file_id=node.id, owner_id=node.owner_id, name=node.name))


async def take_out(tx: Transaction, owner_id: str, root_id: str) -> Node:
    """Put a trash root back where it was, or into the root when its folder is gone or has no room for its depth.

    A name that was taken meanwhile becomes ``name (1)``.

    Raises:
        Problem: 404 when it is no trash root of the owner's.
    """
    await repository.lock_owner(tx, owner_id)
    root = await _root(tx, owner_id, root_id)
    if not await _has_room(tx, root):
        root.parent_id = None
    root.name = await tree.free_name(tx, owner_id, root.parent_id, root.name, root.kind)
    root.name_key = name_key(root.name)
    await tx.session.flush()
    await trash_queries.mark_restored(tx, root.id)
    await tx.session.refresh(root)
    if root.kind == FOLDER:
        tx.record(FolderRestored(folder_id=root.id, owner_id=owner_id, name=root.name, parent_id=root.parent_id))
    else:
        tx.record(FileRestored(file_id=root.id, owner_id=owner_id, name=root.name, parent_id=root.parent_id))
    return root


async def give_up(tx: Transaction, owner_id: str, root_id: str) -> None:
    """Begin to purge one trash root; ``purge_some`` goes on with it.

    Raises:
        Problem: 404 when it is no trash root of the owner's.
    """
    await repository.lock_owner(tx, owner_id)
    root = await _root(tx, owner_id, root_id)
    root.trash_state = PURGING


async def give_up_all(tx: Transaction, owner_id: str) -> None:
    """Begin to purge all that is in an owner's trash."""
    await repository.lock_owner(tx, owner_id)
    await trash_queries.mark_all_purging(tx, owner_id)


async def purge_some(tx: Transaction, owner_id: str, limit: int) -> int:
    """Delete up to ``limit`` rows of what the owner has given up, freeing their quota; fewer mean that all is done."""
    await repository.lock_owner(tx, owner_id)
    purged = await trash_queries.delete_below_purged(tx, owner_id, limit)
    if len(purged) < limit:
        purged += await trash_queries.delete_purged_roots(tx, owner_id, limit - len(purged))
    _record_purged(tx, purged)
    # An unfinished upload is reserved, not used; whoever ends the upload gives its reservation back.
    used: Counter[str] = Counter()
    for node in purged:
        used[node.owner_id] += 0 if node.status == UPLOADING else node.size
    for owner, size in used.items():
        await quota.free(tx, owner, size)
    return len(purged)


async def purge_expired(tx: Transaction, *, before: datetime, limit: int) -> int:
    """Purge up to ``limit`` rows of what lies in the trash since before then, or was given up and not yet removed.

    Returns how many went; fewer than ``limit`` mean that nothing is left to do.
    """
    owners = {
        *await trash_queries.owners_of_expired(tx, before, limit),
        *await trash_queries.owners_with_purges(tx, limit),
    }
    done = 0
    for owner_id in sorted(owners):
        # The owner's lock before any node's, as whoever changes the tree takes them.
        await repository.lock_owner(tx, owner_id)
        await trash_queries.mark_expired_purging(tx, owner_id, before, limit)
        done += await purge_some(tx, owner_id, limit - done)
        if done >= limit:
            break
    return done


async def _root(tx: Transaction, owner_id: str, root_id: str) -> Node:
    node = await tree.owned(tx, owner_id, root_id)
    if node.trash_state is None:
        raise not_found("item in the trash")
    return node


async def _has_room(tx: Transaction, root: Node) -> bool:
    """Whether the folder that a trash root lay in can take it back."""
    if root.parent_id is None:
        return True
    parent = await repository.find(tx, root.parent_id)
    if parent is None or parent.trashed_at is not None:
        return False
    depth = len((await repository.way_to(tx, [parent.id]))[parent.id])
    return depth + await repository.height_of(tx, root.id) <= MAX_DEPTH


def _record_purged(tx: Transaction, purged: Iterable[PurgedNode]) -> None:
    for node in purged:
        if node.kind == FOLDER:
            tx.record(FolderPurged(folder_id=node.id, owner_id=node.owner_id, name=node.name))
        else:
            tx.record(
                FilePurged(
                    file_id=node.id,
                    owner_id=node.owner_id,
                    name=node.name,
                    size=node.size,
                    status=node.status,
                    object_key=node.object_key,
                    derived_keys=(node.thumbnail_key,) if node.thumbnail_key else (),
                )
            )
