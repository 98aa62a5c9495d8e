"""The files feature, as ``bootstrap`` installs it."""

from datetime import timedelta

from metastore.features.files.content.cleanup import consumers
from metastore.features.files.delivery import Delivery
from metastore.features.files.endpoints import router
from metastore.features.files.representation.stream_urls import StreamUrls
from metastore.features.files.service import FilesService
from metastore.kit.clock import Clock
from metastore.kit.database.unit_of_work import Database
from metastore.kit.feature import Feature, Job
from metastore.ports.resources import Resources

_PURGE_BATCH = 100


def files_feature(
    resources: Resources, delivery: Delivery, *, presign_ttl: int, stream_key: bytes, trash_ttl: int
) -> Feature:
    """Build the feature. The lifetimes are in seconds; ``stream_key`` signs the URLs of streams."""
    streams = StreamUrls(stream_key, presign_ttl, resources.clock)
    files = FilesService(delivery, clock=resources.clock, streams=streams)
    return Feature(
        "files",
        routers=[router],
        services=[delivery, streams, files],
        consumers=consumers(resources.store),
        recurring_jobs={"purge old trash": _trash_purge(resources.database, files, trash_ttl, resources.clock)},
    )


def _trash_purge(database: Database, files: FilesService, trash_ttl: int, clock: Clock) -> Job:
    async def purge() -> None:
        cutoff = clock() - timedelta(seconds=trash_ttl)
        purged = _PURGE_BATCH
        while purged >= _PURGE_BATCH:
            async with database.transaction() as tx:
                purged = await files.purge_expired_trash(tx, before=cutoff, limit=_PURGE_BATCH)

    return purge
