"""The uploads feature, as ``bootstrap`` installs it."""

from metastore.features.files.service import FilesService
from metastore.features.uploads.arrival import Arrival
from metastore.features.uploads.consumers import consumers
from metastore.features.uploads.endpoints import router
from metastore.features.uploads.jobs import UploadJobs
from metastore.features.uploads.multipart.limits import UploadLimits
from metastore.features.uploads.multipart.listing import UnfinishedUploads
from metastore.features.uploads.service import UploadsService
from metastore.features.uploads.whole.object_keys import ObjectKeys
from metastore.features.uploads.whole.service import WholeUploads
from metastore.kit.feature import Feature
from metastore.kit.services import Services
from metastore.ports.resources import Resources


def uploads_feature(resources: Resources, services: Services, *, limits: UploadLimits) -> Feature:
    """Build the feature. The saga that an upload starts is declared by the media feature, which processes the file."""
    database, store, files = resources.database, resources.store, services.get(FilesService)
    uploads = UploadsService(database, store, files, limits, resources.clock, resources.media_tools.can_preview)
    keys = ObjectKeys(database, store, limits, resources.clock)
    return Feature(
        "uploads",
        routers=[router],
        services=[
            uploads,
            WholeUploads(database, store, files, keys, limits, resources.clock, resources.media_tools.can_preview),
            UnfinishedUploads(database, store, files),
            Arrival(database, store, uploads, resources.clock),
        ],
        consumers=consumers(uploads),
        recurring_jobs={
            **UploadJobs(database, store, uploads, limits.upload_ttl, resources.clock).all(),
            "delete objects of expired keys": keys.collect,
        },
    )
