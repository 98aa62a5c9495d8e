"""The recurring job of files: purging old trash."""

from datetime import timedelta

from metastore.features.files.service import FilesService
from metastore.kit.clock import Clock
from metastore.kit.database import Database
from metastore.kit.feature import Job

_BATCH = 100


def purge_trash(database: Database, files: FilesService, trash_ttl: int, clock: Clock) -> Job:
    """Return a job that purges what has been in the trash for ``trash_ttl`` seconds."""

    async def purge() -> None:
        cutoff = clock() - timedelta(seconds=trash_ttl)
        purged = _BATCH
        while purged >= _BATCH:
            async with database.transaction() as tx:
                purged = await files.purge_expired_trash(tx, before=cutoff, limit=_BATCH)

    return purge
