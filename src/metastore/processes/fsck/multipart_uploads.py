"""Compare the open uploads of the database with the multipart uploads of the store, in both directions."""

from collections.abc import AsyncIterator
from datetime import timedelta

from metastore.features.uploads.multipart import cleanup
from metastore.features.uploads.multipart.cleanup import OpenUpload
from metastore.features.uploads.service import UploadsService
from metastore.kit.clock import Clock
from metastore.kit.database.unit_of_work import Database
from metastore.ports.object_store import ObjectStore, OpenMultipart
from metastore.processes.fsck.check import Finding, Severity

_BATCH = 200


class MultipartsCheck:
    """Multipart uploads of the store that the database does not know."""

    def __init__(self, database: Database, store: ObjectStore, *, grace: timedelta, clock: Clock) -> None:
        self._database = database
        self._store = store
        self._grace = grace
        self._clock = clock

    async def suspects(self) -> AsyncIterator[OpenMultipart]:
        """Yield unknown multipart uploads that are older than the grace period."""
        batch: list[OpenMultipart] = []
        async for multipart in self._store.list_multiparts():
            if multipart.started_at < self._clock() - self._grace:
                batch.append(multipart)
            if len(batch) == _BATCH:
                for unknown in await cleanup.unknown_multiparts(self._database, batch):
                    yield unknown
                batch = []
        for unknown in await cleanup.unknown_multiparts(self._database, batch):
            yield unknown

    async def confirm(self, suspect: OpenMultipart) -> Finding | None:
        """Implement ``Check``."""
        if not await cleanup.unknown_multiparts(self._database, [suspect]):
            return None
        if not await self._store.is_open(suspect.key, suspect.upload_id):
            return None
        found = (
            f"the database does not know this multipart upload of {suspect.key}, "
            f"started {suspect.started_at:%Y-%m-%d %H:%M:%S} UTC"
        )
        return Finding("orphan-multipart", Severity.WARNING, suspect.upload_id, found, "aborts it in the store")

    async def repair(self, suspect: OpenMultipart) -> str:
        """Implement ``Check``."""
        await self._store.abort_multipart(suspect.key, suspect.upload_id)
        return "aborted"


class UploadsCheck:
    """Uploads of the database whose multipart upload the store has lost."""

    def __init__(self, database: Database, store: ObjectStore, uploads: UploadsService) -> None:
        self._database = database
        self._store = store
        self._uploads = uploads

    async def suspects(self) -> AsyncIterator[OpenUpload]:
        """Yield open uploads that the store has lost."""
        after = ""
        while page := await cleanup.open_uploads(self._database, after, _BATCH):
            for upload in page:
                if not await self._store.is_open(upload.object_key, upload.store_upload_id):
                    yield upload
            after = page[-1].id

    async def confirm(self, suspect: OpenUpload) -> Finding | None:
        """Implement ``Check``."""
        if not await cleanup.is_lost(self._database, self._store, suspect):
            return None
        found = f"the store has lost the parts of this upload of file {suspect.file_id} by user {suspect.owner_id}"
        repair = "ends the upload and releases its reservation; a file that is whole in the store is kept"
        return Finding("lost-multipart", Severity.ERROR, suspect.id, found, repair)

    async def repair(self, suspect: OpenUpload) -> str:
        """Implement ``Check``."""
        upload = await cleanup.find(self._database, suspect.id)
        if upload is None:
            return "nothing: the upload is gone"
        await self._uploads.discard(upload, "lost by the store")
        return "ended"
