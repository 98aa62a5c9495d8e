"""Emptying the trash at its owner's wish, in bounded transactions."""

from metastore.features.files import trash
from metastore.kit.database import Database

_BATCH = 500
_BATCHES_AT_ONCE = 20


async def purge(database: Database, owner_id: str, root_id: str | None) -> None:
    """Purge one trash root, or the whole trash. Opens transactions of its own.

    What has been given up is out of the owner's sight with the first commit. Of a very large trash, rows beyond 10,000
    are left to the reaper, and their quota comes back then.

    Raises:
        Problem: 404 when ``root_id`` is no trash root of the owner's.
    """
    async with database.transaction() as tx:
        if root_id is None:
            await trash.give_up_all(tx, owner_id)
        else:
            await trash.give_up(tx, owner_id, root_id)
    for _ in range(_BATCHES_AT_ONCE):
        async with database.transaction() as tx:
            if await trash.purge_some(tx, owner_id, _BATCH) < _BATCH:
                return
