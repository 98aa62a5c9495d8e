"""The steps ``initiate`` and ``store`` of a file's arrival, as far as nobody else takes them.

``UploadsService`` takes them at the client's requests. Here is what the saga does by itself when ``store`` is overdue:
because its time is over, or because a completing was begun and nobody brought it to an end.
"""

from datetime import timedelta

from metastore.features.uploads import repository
from metastore.features.uploads.models import COMPLETED, COMPLETING, OPEN, Upload
from metastore.features.uploads.parts import part_digest, target_of
from metastore.features.uploads.saga_steps import record_failure
from metastore.features.uploads.service import UploadsService
from metastore.kit.clock import Clock
from metastore.kit.database import Database, Transaction
from metastore.kit.reason_codes import ReasonCode, known_reason
from metastore.kit.saga_models import Saga
from metastore.kit.saga_steps import Effect, Later, Outcome, Report, StepFailedError
from metastore.ports.object_store import CompletedPart, ObjectStore, UploadNotFoundError

_SOON = timedelta(seconds=5)


class Arrival:
    """What the saga calls."""

    def __init__(self, database: Database, store: ObjectStore, uploads: UploadsService, clock: Clock) -> None:
        self._database = database
        self._store = store
        self._uploads = uploads
        self._clock = clock

    async def store(self, saga: Saga, report: Report) -> Outcome:
        """Bring a completing to its end that its process did not.

        Raises:
            StepFailedError: there is none, and time is over.
            ObjectStoreError: the store does not answer; to be tried again.
        """
        upload = await self._upload(saga)
        if upload is None or upload.state not in (COMPLETING, COMPLETED):
            raise StepFailedError(ReasonCode.NOT_ARRIVED_IN_TIME, final=True)
        if upload.state == COMPLETED:
            # Finishing moves the saga on in its own transaction: this one is no longer there.
            return Later(self._clock() + _SOON)
        if upload.claimed_at is not None and upload.claimed_at + self._uploads.completing_lease > self._clock():
            return Later(upload.claimed_at + self._uploads.completing_lease)
        if not await self._uploads.finished_after_all(upload):
            await self._complete(upload, str(saga.data.get("named", "")))
        return Later(self._clock() + _SOON)

    async def release(self, saga: Saga) -> Outcome:
        """Take ``store`` back: the store keeps neither parts nor object."""
        upload = await self._upload(saga)
        if upload is not None and upload.state != COMPLETED:
            await self._uploads.release_in_store(upload.object_key, upload.store_upload_id)
        return None

    async def forget(self, saga: Saga) -> Effect | Later | None:
        """Take ``initiate`` back: reservation, file entry and upload row are gone."""
        upload_id = str(saga.data.get("uploadId", saga.id))
        stale = self._clock() - self._uploads.completing_lease

        async def drop(tx: Transaction) -> None:
            gone = await self._uploads.drop(
                tx, upload_id, saga.error or ReasonCode.NOT_ARRIVED_IN_TIME.sentence, claimed_before=stale
            )
            if gone is None and await repository.state_of(tx, upload_id) in (OPEN, COMPLETING):
                # A request has started to complete it meanwhile; the compensation is attempted again.
                raise StepFailedError(ReasonCode.NOT_STORED)

        upload = await self._upload(saga)
        if upload is not None and upload.state == COMPLETING and upload.claimed_at and upload.claimed_at >= stale:
            # A request is at it; it will find that the saga is against it.
            return Later(upload.claimed_at + self._uploads.completing_lease)
        return drop

    async def failed(self, tx: Transaction, saga: Saga) -> None:
        """Tell the owner of a file that is gone why it is."""
        owner_id, name = saga.data.get("ownerId"), saga.data.get("name")
        if isinstance(owner_id, str) and isinstance(name, str):
            code = known_reason(saga.error_code) or ReasonCode.NOT_ARRIVED_IN_TIME
            record_failure(tx, saga.subject, owner_id, name, code)

    async def _complete(self, upload: Upload, named: str) -> None:
        """Complete with the parts that the client named, if it is those that the store has."""
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
        # Uploads older than sagas gave theirs their id.
        async with self._database.reading() as tx:
            return await repository.find(tx, str(saga.data.get("uploadId", saga.id)))
