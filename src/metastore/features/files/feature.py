"""The files feature, as ``bootstrap`` installs it."""

from metastore.features.files.consumers import consumers
from metastore.features.files.endpoints import router
from metastore.features.files.jobs import purge_trash
from metastore.features.files.service import FilesService
from metastore.features.files.stream_urls import StreamUrls
from metastore.kit.feature import Feature
from metastore.ports.resources import Resources


def files_feature(resources: Resources, *, presign_ttl: int, stream_key: bytes, trash_ttl: int) -> Feature:
    """Build the feature. The lifetimes are in seconds; ``stream_key`` signs the URLs of streams."""
    streams = StreamUrls(stream_key, presign_ttl, resources.clock)
    files = FilesService(resources.store, clock=resources.clock, presign_ttl=presign_ttl, streams=streams)
    return Feature(
        "files",
        routers=[router],
        services=[streams, files],
        consumers=consumers(resources.store),
        recurring_jobs={"purge old trash": purge_trash(resources.database, files, trash_ttl, resources.clock)},
    )
