"""Multipart uploads: initiate, resume, complete and abort.

Unlike other services this one opens its own transactions, because every operation alternates between the database and
the object store, and a slow store must never hold a transaction open. Each transaction leaves a state from which the
next step can be repeated (see the package).
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from metastore.features.auth.accounts import quota
from metastore.features.auth.schemas import Caller, Principal
from metastore.features.files.content import integrity
from metastore.features.files.content.processing import INGEST, STORE
from metastore.features.files.schemas import FileOut
from metastore.features.files.service import FilesService
from metastore.features.files.tree.access import FolderAccess
from metastore.features.uploads import repository
from metastore.features.uploads.models import COMPLETED, COMPLETING, OPEN, Upload
from metastore.features.uploads.multipart.cancellation import cancel_upload, end_upload
from metastore.features.uploads.multipart.ingest_saga import advance_saga, await_completion, start_saga
from metastore.features.uploads.multipart.initiation import Initiation
from metastore.features.uploads.multipart.limits import UploadLimits
from metastore.features.uploads.multipart.parts import (
    named_parts,
    part_digest,
    part_urls,
    target_of,
)
from metastore.features.uploads.multipart.problems import (
    completed,
    completing,
    problem_of_store,
    upload_not_found,
)
from metastore.features.uploads.multipart.sniffing import sniff
from metastore.features.uploads.schemas import InitiateIn, InitiateOut, PartOut, UploadOut
from metastore.kit.clock import Clock
from metastore.kit.database.unit_of_work import Database, Transaction
from metastore.kit.idempotency.checkpoints import checkpoint, mark_compensation
from metastore.kit.ids import is_id
from metastore.kit.problems.problem import Problem
from metastore.kit.problems.problem_codes import ProblemCode
from metastore.kit.problems.reason_codes import ReasonCode
from metastore.kit.saga import sagas
from metastore.ports.object_store import (
    CompletedPart,
    InvalidPartError,
    ObjectNotFoundError,
    ObjectStore,
    ObjectStoreError,
    Part,
    StoredObject,
    UploadNotFoundError,
)

_ANY_TIME = datetime.max.replace(tzinfo=UTC)


class UploadsService:
    """The rules of multipart uploads. ``can_preview`` tells whether previews of a content type can be made here."""

    def __init__(
        self,
        database: Database,
        store: ObjectStore,
        files: FilesService,
        limits: UploadLimits,
        clock: Clock,
        can_preview: Callable[[str], bool] = lambda _: True,
    ) -> None:
        self._database = database
        self._store = store
        self._files = files
        self._limits = limits
        self._initiation = Initiation(database, store, files, limits, clock)
        self.completing_lease = limits.completing_lease
        """The time after which an unfinished completion may be taken over or ended."""
        self._clock = clock
        self._can_preview = can_preview

    async def initiate(self, place: FolderAccess, request: InitiateIn) -> InitiateOut:
        """Reserve space, create the file's entry in the tree of ``place``, and return the URLs of its parts.

        A retry under the same idempotency key continues with the same upload.

        Raises:
            Problem: 413 ``quota-exceeded`` or ``file-too-large``, 422 for a bad name or path, 507 ``storage-full``;
                404 ``upload-not-found`` when that upload has ended since.
        """
        earlier = checkpoint()
        if earlier is not None:
            async with self._database.reading() as tx:
                upload = await self._owned(tx, place.principal, earlier)
        else:
            upload = await self._initiation.open(place, request)
        try:
            if upload.store_upload_id is None:
                await self._open_in_store(upload)
        except ObjectStoreError as error:
            await self.undo(upload.id, "store refused")
            raise problem_of_store(error) from error
        urls = await part_urls(self._store, upload, self._limits.presign_ttl)
        return InitiateOut(
            file_id=upload.file_id,
            upload_id=upload.id,
            part_size=upload.part_size,
            upload_urls=urls,
            expires_at=self._limits.usable_until(upload.expires_at, self._clock()),
        )

    async def resume(self, caller: Caller, upload_id: str) -> UploadOut:
        """Return the received parts of an open upload and new URLs, and extend its lifetime.

        Raises:
            Problem: 404 ``upload-not-found``; 409 ``upload-completed``.
        """
        now = self._clock()
        expires_at = now + timedelta(seconds=self._limits.upload_ttl)
        async with self._database.transaction() as tx:
            upload = await self._owned(tx, caller, upload_id)
            if upload.state == COMPLETED:
                raise completed(upload)
            if upload.state == OPEN and upload.expires_at < now:
                # The saga is about to end it; do not extend it.
                raise upload_not_found()
            if await repository.touch(tx, upload_id, now, expires_at):
                upload.expires_at = expires_at
                if not await sagas.postpone(tx, INGEST, upload.file_id, step=STORE, due_at=expires_at):
                    # The saga is ending it.
                    raise upload_not_found()
        try:
            if upload.store_upload_id is None:
                await self._open_in_store(upload)
            parts = await self._parts_of(upload)
        except ObjectStoreError as error:
            raise problem_of_store(error) from error
        return UploadOut(
            file_id=upload.file_id,
            upload_id=upload.id,
            part_size=upload.part_size,
            size=upload.size,
            parts=[PartOut(part_number=part.number, etag=part.etag, size=part.size) for part in parts],
            upload_urls=await part_urls(self._store, upload, self._limits.presign_ttl),
            expires_at=self._limits.usable_until(upload.expires_at, self._clock()),
        )

    async def complete(self, caller: Caller, file_id: str, upload_id: str, parts: Sequence[CompletedPart]) -> FileOut:
        """Turn the parts into the file. Repeating it returns the same file.

        Raises:
            Problem: 400 ``missing-part`` or ``invalid-part`` with ``partNumber`` (the upload stays open);
                404 ``upload-not-found``, also after an abort.
        """
        if not is_id(upload_id):
            raise upload_not_found()
        # Two transactions: if this process dies while the store works, the saga takes over once the lease has ended.
        async with self._database.transaction() as tx:
            claimed = await repository.claim(tx, caller.id, file_id, upload_id, now := self._clock())
            named = named_parts(parts, target_of(claimed.upload).part_count) if claimed else []
            if claimed is not None:
                due_at = now + self.completing_lease
                if not await await_completion(tx, claimed.upload, claimed.name, part_digest(named), due_at):
                    raise upload_not_found()
        if claimed is not None:
            stored = await self._complete_in_store(claimed.upload, named)
            return await self.finish(claimed.upload, stored, claimed.name)
        async with self._database.reading() as tx:
            upload = await self._owned(tx, caller, upload_id)
            if upload.file_id != file_id:
                raise upload_not_found()
            return await self._files.owned_file(tx, caller.id, file_id)

    async def finish(self, upload: Upload, stored: StoredObject, name: str | None = None) -> FileOut:
        """Turn the stored object into the file and the reservation into use. ``name`` is the file's, if known.

        Raises:
            Problem: 404 when the upload was aborted or the file purged meanwhile; the object is removed again.
        """
        if name is None:
            async with self._database.reading() as tx:
                name = await self._files.name_of(tx, upload.file_id) or ""
        mime_type, needs_processing = await sniff(self._store, upload, name, self._can_preview)
        try:
            async with self._database.transaction() as tx:
                if await repository.finish(tx, upload.id):
                    await quota.use(tx, upload.owner_id, upload.size)
                    await advance_saga(tx, upload.file_id, needs_processing=needs_processing)
                    return await self._files.complete_file(
                        tx,
                        upload.file_id,
                        object_key=upload.object_key,
                        size=stored.size,
                        etag=stored.etag,
                        checksum=stored.checksum,
                        mime_type=mime_type,
                        needs_processing=needs_processing,
                    )
                if await repository.find(tx, upload.id) is not None:
                    return await self._files.owned_file(tx, upload.owner_id, upload.file_id)
        except Problem as problem:
            if problem.status != 404:
                raise
            async with self._database.transaction() as tx:
                await cancel_upload(tx, self._files, upload.id, "file purged", claimed_before=_ANY_TIME)
        async with self._database.reading() as tx:
            # The upload may have been completed and its row deleted since the caller read it.
            if await integrity.referenced_keys(tx, [upload.object_key]):
                return await self._files.owned_file(tx, upload.owner_id, upload.file_id)
        await self._store.delete([upload.object_key])
        raise upload_not_found()

    async def abort(self, caller: Caller, upload_id: str) -> None:
        """End an upload without a file and release its bytes and reservation.

        Raises:
            Problem: 404 ``upload-not-found``; 409 ``upload-completed`` or ``upload-completing``.
        """
        async with self._database.transaction() as tx:
            upload = await self._owned(tx, caller, upload_id)
            stale = self._clock() - self.completing_lease
            if not await cancel_upload(tx, self._files, upload_id, "aborted by its owner", claimed_before=stale):
                # Read the state again: a concurrent request may have completed or aborted the upload.
                state = await repository.state_of(tx, upload_id)
                if state is None:
                    raise upload_not_found()
                raise completed(upload) if state == COMPLETED else completing(upload)
        await self.release_in_store(upload.object_key, upload.store_upload_id)

    async def abort_of_purged_file(self, tx: Transaction, file_id: str) -> None:
        """End the open upload of a purged file, in the caller's transaction."""
        upload = await repository.find_by_file(tx, file_id)
        if upload is not None:
            await cancel_upload(tx, self._files, upload.id, "file purged")

    async def release_in_store(self, object_key: str, store_upload_id: str | None) -> None:
        """Remove the parts and the object of an ended upload from the store. May be repeated.

        Raises:
            ObjectStoreError: the store failed; try again later.
        """
        if store_upload_id is not None:
            await self._store.abort_multipart(object_key, store_upload_id)
        await self._store.delete([object_key])

    async def end(
        self, tx: Transaction, upload_id: str, reason: str, *, claimed_before: datetime, failure: ReasonCode | None
    ) -> Upload | None:
        """End an upload as ``end_upload`` does."""
        return await end_upload(tx, self._files, upload_id, reason, claimed_before=claimed_before, failure=failure)

    async def discard(self, upload: Upload, reason: str, *, even_completing: bool = False) -> None:
        """End an upload that cannot go on and notify its owner, or finish it if the store holds it whole.

        With ``even_completing`` it is ended even if a request may be completing it at the moment.

        Raises:
            ObjectStoreError: the store failed. If the upload has ended, a consumer removes its bytes later.
        """
        if await self.finish_if_stored(upload):
            return
        before = _ANY_TIME if even_completing else self._clock() - self.completing_lease
        async with self._database.transaction() as tx:
            failure = ReasonCode.NOT_STORED
            ended = await cancel_upload(tx, self._files, upload.id, reason, claimed_before=before, failure=failure)
        if ended:
            await self.release_in_store(upload.object_key, upload.store_upload_id)

    async def undo(self, upload_id: str, reason: str) -> None:
        """End an upload whose initiating request failed, so that its idempotency key can be used again."""
        async with self._database.transaction() as tx:
            if await cancel_upload(tx, self._files, upload_id, reason, claimed_before=_ANY_TIME):
                mark_compensation(tx)

    async def restart_saga(self, upload: Upload) -> None:
        """Start a saga for an unfinished upload whose saga has ended or is missing. It is due at once."""
        async with self._database.transaction() as tx:
            if await repository.state_of(tx, upload.id) not in (OPEN, COMPLETING):
                return
            await sagas.forget(tx, INGEST, upload.file_id)
            await start_saga(tx, upload, await self._files.name_of(tx, upload.file_id) or "", self._clock())

    async def _owned(self, tx: Transaction, principal: Principal, upload_id: str) -> Upload:
        upload = await repository.find(tx, upload_id) if is_id(upload_id) else None
        if upload is None or upload.owner_id != principal.subject_id:
            raise upload_not_found(refused=upload is not None)
        return upload

    async def _open_in_store(self, upload: Upload) -> None:
        store_upload_id = await self._store.create_multipart(
            upload.object_key, size=upload.size, part_size=upload.part_size, content_type=upload.mime_type
        )
        async with self._database.transaction() as tx:
            kept = await repository.set_store_upload_id(tx, upload.id, store_upload_id)
            current = None if kept else await repository.find(tx, upload.id)
        upload.store_upload_id = store_upload_id
        if kept:
            return
        await self._store.abort_multipart(upload.object_key, store_upload_id)
        if current is None or current.store_upload_id is None:
            raise upload_not_found()
        upload.store_upload_id = current.store_upload_id

    async def _complete_in_store(self, upload: Upload, parts: Sequence[CompletedPart]) -> StoredObject:
        try:
            try:
                return await self._store.complete_multipart(target_of(upload), parts)
            except UploadNotFoundError:
                # Already completed, by a request that was interrupted or runs concurrently.
                stored = await self._store.head(upload.object_key)
                if stored.size != upload.size:
                    raise
                return stored
        except InvalidPartError as error:
            await self._reopen(upload)
            raise Problem(
                400, ProblemCode.INVALID_PART, f"Part {error.number}: {error.reason}.", partNumber=error.number
            ) from error
        except ObjectNotFoundError as error:
            await self._reopen(upload)
            raise upload_not_found() from error
        except ObjectStoreError as error:
            # Keep the claim: it is unknown whether the store completed the upload, and completing again is safe.
            raise problem_of_store(error) from error

    async def _parts_of(self, upload: Upload) -> list[Part]:
        try:
            return await self._store.list_parts(target_of(upload))
        except UploadNotFoundError:
            if await self.finish_if_stored(upload):
                raise completed(upload) from None
            raise

    async def finish_if_stored(self, upload: Upload) -> bool:
        """Finish an upload that the store has completed for a process that died. Return whether it was complete.

        Raises:
            Problem: as ``finish``.
            ObjectStoreError: the store failed.
        """
        try:
            stored = await self._store.head(upload.object_key)
        except ObjectNotFoundError:
            return False
        if stored.size != upload.size:
            return False
        await self.finish(upload, stored)
        return True

    async def _reopen(self, upload: Upload) -> None:
        async with self._database.transaction() as tx:
            if await repository.reopen(tx, upload.id):
                await sagas.postpone(tx, INGEST, upload.file_id, step=STORE, due_at=upload.expires_at)
