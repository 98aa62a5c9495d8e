"""The recurring jobs of uploads."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import structlog

from metastore.features.uploads.multipart import cleanup
from metastore.features.uploads.multipart.cleanup import OpenUpload
from metastore.features.uploads.service import UploadsService
from metastore.kit.clock import Clock
from metastore.kit.database.unit_of_work import Database
from metastore.kit.feature import Job
from metastore.ports.object_store import ObjectStore, OpenMultipart

_BATCH = 100
_KEEP_COMPLETED = timedelta(days=1)
_log = structlog.get_logger(__name__)


class UploadJobs:
    """Cleans up where a crash has left database and store in disagreement. Expired uploads are ended by their sagas.

    ``upload_ttl`` is the lifetime of uploads in seconds.
    """

    def __init__(
        self, database: Database, store: ObjectStore, uploads: UploadsService, upload_ttl: int, clock: Clock
    ) -> None:
        self._database = database
        self._store = store
        self._uploads = uploads
        self._ttl = timedelta(seconds=upload_ttl)
        self._clock = clock
        self._checked_up_to = ""
        self._missed: dict[str, OpenUpload] = {}

    def all(self) -> Mapping[str, Job]:
        """Return the jobs by name."""
        return {
            "restart sagas of expired uploads": self.restart_ended_sagas,
            "abort unknown multipart uploads": self.abort_unknown_multiparts,
            "end lost uploads": self.end_lost_uploads,
            "delete completed uploads": self.delete_completed_uploads,
        }

    async def restart_ended_sagas(self) -> None:
        """Start a saga for expired uploads that have none: their compensation was skipped."""
        for upload in await cleanup.expired_without_saga(self._database, self._clock(), _BATCH):
            try:
                await self._uploads.restart_saga(upload)
                _log.warning("started a saga for an expired upload", upload_id=upload.id)
            except Exception:  # noqa: BLE001  logged, and the other uploads follow
                _log.exception("cannot start a saga for an expired upload", upload_id=upload.id)

    async def abort_unknown_multiparts(self) -> None:
        """Abort multipart uploads that the database does not know: the process died before it saved their id."""
        cutoff = self._clock() - self._ttl
        batch: list[OpenMultipart] = []
        async for multipart in self._store.list_multiparts():
            if multipart.started_at < cutoff:
                batch.append(multipart)
            if len(batch) == _BATCH:
                await self._abort_unknown(batch)
                batch = []
        await self._abort_unknown(batch)

    async def _abort_unknown(self, batch: Sequence[OpenMultipart]) -> None:
        for multipart in await cleanup.unknown_multiparts(self._database, batch):
            await self._store.abort_multipart(multipart.key, multipart.upload_id)

    async def end_lost_uploads(self) -> None:
        """Check some open uploads each round. An upload is ended when two successive rounds find its parts missing."""
        missed, self._missed = self._missed, {}
        for upload in missed.values():
            if await cleanup.is_lost(self._database, self._store, upload):
                await self._end_lost_upload(upload)
        page = await cleanup.open_uploads(self._database, self._checked_up_to, _BATCH)
        self._checked_up_to = page[-1].id if len(page) == _BATCH else ""
        for upload in page:
            if upload.id not in missed and await cleanup.is_lost(self._database, self._store, upload):
                self._missed[upload.id] = upload

    async def _end_lost_upload(self, lost: OpenUpload) -> None:
        upload = await cleanup.find(self._database, lost.id)
        if upload is not None:
            await self._uploads.discard(upload, "lost by the store")
            _log.warning("ended an upload whose parts the store has lost", upload_id=lost.id)

    async def delete_completed_uploads(self) -> None:
        """Delete the rows of uploads that were completed long ago. Their files stay."""
        await cleanup.forget_completed(self._database, self._clock() - _KEEP_COMPLETED, _BATCH)
