"""Purging the trash in batches: at its owner's request, or when it has expired.

A tree of any size is purged without long transactions. A trash root is first marked PURGING, which hides it from its
owner. Its rows are then deleted in bounded transactions, the root last. If the process dies in between, the reaper
continues. Each transaction refunds the quota of the rows it deletes.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from metastore.features.auth.accounts import quota
from metastore.features.files import repository
from metastore.features.files.events import FilePurged, FolderPurged
from metastore.features.files.models import FOLDER, UPLOADING
from metastore.features.files.tree.trash_queries import (
    PurgedNode,
    delete_below_purging,
    delete_purging_roots,
    mark_all_purging,
    mark_expired_purging,
    owners_of_expired,
    owners_of_purging,
)
from metastore.kit.database.unit_of_work import Database, Transaction

_BATCH_SIZE = 500
_MAX_BATCHES = 20


async def purge_started(database: Database, owner_id: str) -> None:
    """Delete the rows of the owner's trash that is PURGING, in transactions of its own.

    Rows beyond 10,000 are left to the reaper, which refunds their quota later.
    """
    for _ in range(_MAX_BATCHES):
        async with database.transaction() as tx:
            if await purge_batch(tx, owner_id, _BATCH_SIZE) < _BATCH_SIZE:
                return


async def start_purge_all(tx: Transaction, owner_id: str) -> None:
    """Mark everything in the owner's trash as PURGING."""
    await repository.lock_owner(tx, owner_id)
    await mark_all_purging(tx, owner_id)


async def purge_batch(tx: Transaction, owner_id: str, limit: int) -> int:
    """Delete up to ``limit`` rows of the owner's trash that is PURGING, and refund their quota.

    Return the number of rows; fewer than ``limit`` means that none are left.
    """
    await repository.lock_owner(tx, owner_id)
    purged = await delete_below_purging(tx, owner_id, limit)
    if len(purged) < limit:
        purged += await delete_purging_roots(tx, owner_id, limit - len(purged))
    _record_purged(tx, purged)
    # An unfinished upload is reserved, not used; aborting the upload releases the reservation.
    used: Counter[str] = Counter()
    for node in purged:
        used[node.owner_id] += 0 if node.status == UPLOADING else node.size
    for owner, size in used.items():
        await quota.refund(tx, owner, size)
    return len(purged)


async def purge_expired(tx: Transaction, *, before: datetime, limit: int) -> int:
    """Delete up to ``limit`` rows that were trashed before ``before`` or are PURGING already.

    Return the number of rows; fewer than ``limit`` means that none are left.
    """
    owners = {
        *await owners_of_expired(tx, before, limit),
        *await owners_of_purging(tx, limit),
    }
    deleted = 0
    for owner_id in sorted(owners):
        # The owner's lock precedes row locks, as in every change of the tree; otherwise deadlocks could occur.
        await repository.lock_owner(tx, owner_id)
        await mark_expired_purging(tx, owner_id, before, limit)
        deleted += await purge_batch(tx, owner_id, limit - deleted)
        if deleted >= limit:
            break
    return deleted


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
