"""The media feature, as ``bootstrap`` installs it."""

from metastore.features.files.delivery import Delivery
from metastore.features.files.representation.stream_urls import StreamUrls
from metastore.features.files.service import FilesService
from metastore.features.media.consumers import consumers
from metastore.features.media.endpoints import router
from metastore.features.media.ingest import ingest
from metastore.features.media.playback.previews import PreviewsService
from metastore.features.media.playback.streaming import StreamingService
from metastore.features.media.service import MediaService
from metastore.features.uploads.arrival import Arrival
from metastore.kit.feature import Feature
from metastore.kit.services import Services
from metastore.ports.resources import Resources


def media_feature(resources: Resources, services: Services) -> Feature:
    """Build the feature, with the saga of an uploaded file."""
    store, delivery = resources.store, services.get(Delivery)
    files, streams = services.get(FilesService), services.get(StreamUrls)
    media = MediaService(resources.database, store, resources.media_tools, resources.transcoder, resources.realtime)
    return Feature(
        "media",
        routers=[router],
        services=[
            media,
            StreamingService(store, delivery, files, streams),
            PreviewsService(store, delivery, files, streams),
        ],
        consumers=consumers(media, resources.wake_sagas),
        sagas=[ingest(services.get(Arrival), media)],
    )
