"""The steps ``initiate`` and ``store`` of a file's ingest saga.

``UploadsService`` executes both steps at the request of clients. A saga runner executes ``store`` when it falls due:
because the upload has expired, or because a completion has not finished within its lease.
"""

from datetime import timedelta

from metastore.features.uploads import repository
from metastore.features.uploads.models import COMPLETED, COMPLETING, OPEN, Upload
from metastore.features.uploads.multipart.parts import part_digest, target_of
from metastore.features.uploads.service import UploadsService
from metastore.kit.clock import Clock
from metastore.kit.database.unit_of_work import Database, Transaction
from metastore.kit.problems.reason_codes import ReasonCode, known_reason
from metastore.kit.saga.definition import Effect, Later, Outcome, Report, StepFailedError
from metastore.kit.saga.models import CANCELLED, Saga
from metastore.ports.object_store import CompletedPart, ObjectStore, UploadNotFoundError

_SOON = timedelta(seconds=5)


class Arrival:
    """Actions and compensations for the saga's definition (``media.ingest``)."""

    def __init__(self, database: Database, store: ObjectStore, uploads: UploadsService, clock: Clock) -> None:
        self._database = database
        self._store = store
        self._uploads = uploads
        self._clock = clock

    async def store(self, saga: Saga, report: Report) -> Outcome:
        """Finish an interrupted completion, or fail because the upload has expired.

        Raises:
            StepFailedError: the upload has expired, or the store has lost its parts.
            ObjectStoreError: the store failed; the step is retried.
        """
        upload, now = await self._upload(saga), self._clock()
        if upload is None:
            raise StepFailedError(ReasonCode.NOT_ARRIVED_IN_TIME, final=True)
        if upload.state == COMPLETED:
            # The transaction that finished the upload also advanced the saga, which ends this claim.
            return Later(now + _SOON)
        if upload.state == COMPLETING and upload.claimed_at is not None:
            lease_ends = upload.claimed_at + self._uploads.completing_lease
            if lease_ends > now:
                return Later(lease_ends)
        if await self._uploads.finish_if_stored(upload):
            return Later(now + _SOON)
        if upload.state == COMPLETING:
            await self._complete(upload, str(saga.data.get("named", "")))
            return Later(now + _SOON)
        if upload.expires_at > now:
            return Later(upload.expires_at)
        raise StepFailedError(ReasonCode.NOT_ARRIVED_IN_TIME, final=True)

    async def release(self, saga: Saga) -> Outcome:
        """Compensate ``store``: remove parts and object from the store."""
        upload = await self._upload(saga)
        if upload is not None and upload.state != COMPLETED:
            await self._uploads.release_in_store(upload.object_key, upload.store_upload_id)
        return None

    async def remove(self, saga: Saga) -> Effect | Later | None:
        """Compensate ``initiate``: remove upload, file entry and reservation, and notify the owner of a failure."""
        upload_id = str(saga.data["uploadId"])
        stale = self._clock() - self._uploads.completing_lease
        code = known_reason(saga.error_code) or ReasonCode.NOT_ARRIVED_IN_TIME
        failure = None if saga.outcome == CANCELLED else code
        reason = saga.error or code.sentence

        async def effect(tx: Transaction) -> None:
            removed = await self._uploads.end(tx, upload_id, reason, claimed_before=stale, failure=failure)
            if removed is None and await repository.state_of(tx, upload_id) in (OPEN, COMPLETING):
                # A request has begun to complete the upload meanwhile; the compensation is attempted again.
                raise StepFailedError(ReasonCode.NOT_STORED)

        upload = await self._upload(saga)
        if upload is not None and upload.state == COMPLETING and upload.claimed_at and upload.claimed_at >= stale:
            # A request is completing the upload. It will find that the saga is being compensated, and fail.
            return Later(upload.claimed_at + self._uploads.completing_lease)
        return effect

    async def _complete(self, upload: Upload, named: str) -> None:
        """Complete with the parts that the client named, if the store holds exactly those."""
        if upload.store_upload_id is None:
            raise StepFailedError(ReasonCode.NOT_STORED, final=True)
        target = target_of(upload)
        try:
            parts = [CompletedPart(part.number, part.etag) for part in await self._store.list_parts(target)]
        except UploadNotFoundError:
            raise StepFailedError(ReasonCode.NOT_STORED, final=True) from None
        if part_digest(parts) != named:
            raise StepFailedError(ReasonCode.NOT_STORED, final=True)
        await self._uploads.finish(upload, await self._store.complete_multipart(target, parts))

    async def _upload(self, saga: Saga) -> Upload | None:
        async with self._database.reading() as tx:
            return await repository.find(tx, str(saga.data["uploadId"]))
