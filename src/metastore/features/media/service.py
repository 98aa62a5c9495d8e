"""The saga steps that process media, and the deletion of everything they derived from a file.

``media.ingest`` combines the steps into the saga of an uploaded file. Every step may run again, also concurrently
with an earlier attempt: whatever it stores goes under keys that no other attempt uses, or is written under the saga's
claim.
"""

import structlog
from pydantic import JsonValue

from metastore.features.files.content.processing import INGEST
from metastore.features.media import repository
from metastore.features.media.objects import integrity
from metastore.features.media.objects.cleanup import dropped_keys
from metastore.features.media.objects.events import MediaDropped
from metastore.features.media.objects.storage import delete_objects
from metastore.features.media.probe.step import ProbeStep
from metastore.features.media.renditions.steps import RenditionSteps
from metastore.features.media.thumbnails.step import ThumbnailStep
from metastore.kit.database.unit_of_work import Database
from metastore.kit.saga import sagas
from metastore.kit.saga.models import Saga
from metastore.ports.media_tools import MediaTools
from metastore.ports.object_store import ObjectStore
from metastore.ports.realtime import Realtime
from metastore.ports.transcoder import Transcoder

SOCKET_EVENT = "file.progress"
_log = structlog.get_logger(__name__)


class MediaService:
    """Holds the saga steps, sends their progress to clients, and deletes what they derived."""

    def __init__(
        self, database: Database, store: ObjectStore, tools: MediaTools, transcoder: Transcoder, realtime: Realtime
    ) -> None:
        self._database = database
        self._store = store
        self._realtime = realtime
        self.probe_step = ProbeStep(database, store, tools)
        self.thumbnail_step = ThumbnailStep(database, store, tools)
        self.rendition_steps = RenditionSteps(database, store, transcoder, self._notify_playable)

    async def notify_progress(self, saga: Saga, **more: JsonValue) -> None:
        """Send the progress of a file's processing to its owner's open sockets."""
        owner_id = saga.data.get("ownerId")
        if isinstance(owner_id, str):
            message: dict[str, JsonValue] = {
                "fileId": saga.subject,
                "step": saga.step,
                "progress": saga.progress,
                **more,
            }
            await self._realtime.emit_to_user(owner_id, SOCKET_EVENT, message)

    async def delete_derived(self, file_id: str) -> None:
        """Cancel the processing of a purged file and delete everything derived from it. Idempotent.

        Deletes the objects first: only the rows say which there are.
        """
        async with self._database.transaction() as tx:
            if not await sagas.cancel(tx, INGEST, file_id, error="file purged"):
                await sagas.forget(tx, INGEST, file_id)
        async with self._database.reading() as tx:
            is_probed = await repository.find(tx, file_id) is not None
            keys = await integrity.derived_keys(tx, file_id)
        await delete_objects(self._store, keys)
        if is_probed:
            async with self._database.transaction() as tx:
                await repository.delete_media(tx, file_id)

    async def delete_dropped(self, dropped: MediaDropped) -> None:
        """Delete the objects that could not be deleted during an outage."""
        await delete_objects(self._store, dropped_keys(dropped))

    async def _notify_playable(self, saga: Saga) -> None:
        try:
            await self.notify_progress(saga, playable=True)
        except Exception as error:  # noqa: BLE001  a convenience: clients also read it from the API
            _log.info("playable notification not sent", error=repr(error), file_id=saga.subject)
