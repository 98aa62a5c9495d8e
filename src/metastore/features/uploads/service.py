"""The rules of multipart uploads.

Unlike other services this one opens its transactions itself: an upload goes back and forth between the database and
the object store, and a slow store must never hold a transaction open. Each transaction leaves a state from which the
next step can be repeated (see the package).
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from metastore.features.auth import quota
from metastore.features.files import checking
from metastore.features.files.content_type import well_formed
from metastore.features.files.processing import INGEST, INITIATE, STORE
from metastore.features.files.schemas import FileOut
from metastore.features.files.service import FilesService
from metastore.features.uploads import repository
from metastore.features.uploads.calling_off import call_off, drop
from metastore.features.uploads.events import UploadInitiated
from metastore.features.uploads.limits import WHOLE_WITHIN, UploadLimits
from metastore.features.uploads.models import COMPLETED, COMPLETING, OPEN, Upload
from metastore.features.uploads.parts import (
    choose_part_size,
    look_into,
    named_parts,
    part_digest,
    part_urls,
    target_of,
)
from metastore.features.uploads.refusals import completed, completing, problem_of_store, too_large, upload_not_found
from metastore.features.uploads.saga_steps import move_on, record_failure
from metastore.features.uploads.schemas import InitiateIn, InitiateOut, PartOut, UploadOut
from metastore.kit import saga
from metastore.kit.clock import Clock
from metastore.kit.database import Database, Transaction
from metastore.kit.idempotency_begun import begun, keep_begun
from metastore.kit.ids import is_id, new_id
from metastore.kit.problem import Problem
from metastore.kit.problem_codes import ProblemCode
from metastore.kit.reason_codes import ReasonCode
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

EXPIRED = "expired"
_ANY_TIME = datetime.max.replace(tzinfo=UTC)


class UploadsService:
    """Initiate, resume, complete and abort multipart uploads; of what is processed, ``can_show`` has the last word."""

    def __init__(
        self,
        database: Database,
        store: ObjectStore,
        files: FilesService,
        limits: UploadLimits,
        clock: Clock,
        can_show: Callable[[str], bool] = lambda _: True,
    ) -> None:
        self._database = database
        self._store = store
        self._files = files
        self._limits = limits
        self.completing_lease = limits.completing_lease
        """How long a completing is left alone."""
        self._clock = clock
        self._can_show = can_show

    async def initiate(self, owner_id: str, wanted: InitiateIn) -> InitiateOut:
        """Reserve space, make the file's entry and return where its parts go.

        Sent again under its key after a crash, it goes on with the upload that it began.

        Raises:
            Problem: 413 ``quota-exceeded`` or ``file-too-large``, 422 for a bad name or path, 507 ``storage-full``;
                404 ``upload-not-found`` when the one it began was ended since.
        """
        earlier = begun()
        if earlier is not None:
            async with self._database.reading() as tx:
                upload = await self._owned(tx, owner_id, earlier)
        else:
            async with self._database.transaction() as tx:
                upload = await self.begin(tx, owner_id, wanted)
                await keep_begun(tx, upload.id)
        try:
            if upload.store_upload_id is None:
                await self._open_in_store(upload)
        except ObjectStoreError as error:
            async with self._database.transaction() as tx:
                tx.takes_back = await call_off(tx, self._files, upload.id, "store refused")
            raise problem_of_store(error) from error
        urls = await part_urls(self._store, upload, self._limits.presign_ttl)
        return InitiateOut(
            file_id=upload.file_id,
            upload_id=upload.id,
            part_size=upload.part_size,
            upload_urls=urls,
            expires_at=self._limits.usable_until(upload.expires_at, self._clock()),
        )

    async def begin(self, tx: Transaction, owner_id: str, wanted: InitiateIn, *, claimed: bool = False) -> Upload:
        """The first step alone: reservation, file entry, upload row and saga, in the caller's transaction.

        ``claimed`` starts in COMPLETING, for an upload that arrives whole with this request.
        """
        if wanted.size > self._limits.max_file_size:
            raise too_large(self._limits.max_file_size)
        await quota.reserve(tx, owner_id, wanted.size)
        node = await self._files.begin_file(
            tx,
            owner_id,
            path=wanted.path,
            name=wanted.name,
            size=wanted.size,
            mime_type=wanted.mime_type,
            visibility=wanted.visibility,
        )
        now = self._clock()
        upload_id = new_id()
        upload = Upload(
            id=upload_id,
            owner_id=owner_id,
            file_id=node.id,
            object_key=f"files/{upload_id}",
            store_upload_id=None,
            size=wanted.size,
            part_size=choose_part_size(wanted.size, self._limits.part_size),
            mime_type=well_formed(wanted.mime_type),
            state=COMPLETING if claimed else OPEN,
            claimed_at=now if claimed else None,
            created_at=now,
            expires_at=now + timedelta(seconds=self._limits.upload_ttl),
        )
        tx.session.add(upload)
        about = {"uploadId": upload_id, "ownerId": owner_id, "name": node.name}
        # One that arrives whole does so in minutes; should its process die, the saga need not wait for the rest.
        due_at = min(upload.expires_at, now + WHOLE_WITHIN) if claimed else upload.expires_at
        saga.start(tx, INGEST, node.id, done=INITIATE, step=STORE, due_at=due_at, data=about, owner=owner_id)
        tx.record(
            UploadInitiated(upload_id=upload.id, file_id=node.id, owner_id=owner_id, size=upload.size, name=node.name)
        )
        return upload

    async def resume(self, owner_id: str, upload_id: str) -> UploadOut:
        """What the store holds of an open upload, with fresh URLs; its time starts anew.

        Raises:
            Problem: 404 ``upload-not-found``; 409 ``upload-completed``.
        """
        now = self._clock()
        expires_at = now + timedelta(seconds=self._limits.upload_ttl)
        async with self._database.transaction() as tx:
            upload = await self._owned(tx, owner_id, upload_id)
            if upload.state == COMPLETED:
                raise completed(upload)
            if upload.state == OPEN and upload.expires_at < now:
                # Whoever looks at it must not keep it from being taken back.
                raise upload_not_found()
            if await repository.touch(tx, upload_id, now, expires_at):
                upload.expires_at = expires_at
                if not await saga.postpone(tx, INGEST, upload.file_id, step=STORE, due_at=expires_at):
                    # Its time was over, and it is being taken back.
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

    async def complete(self, owner_id: str, file_id: str, upload_id: str, parts: Sequence[CompletedPart]) -> FileOut:
        """Turn the parts into the file; the same answer when it was done before.

        Raises:
            Problem: 400 ``missing-part`` or ``invalid-part`` with ``partNumber`` (the upload stays open);
                404 ``upload-not-found``, also after an abort.
        """
        async with self._database.reading() as tx:
            upload = await self._owned(tx, owner_id, upload_id)
            if upload.file_id != file_id:
                raise upload_not_found()
            if upload.state == COMPLETED:
                return await self._files.file_out(tx, owner_id, file_id)
        named = named_parts(parts, target_of(upload).part_count)
        async with self._database.transaction() as tx:
            claimed = await repository.claim(tx, upload_id, now := self._clock())
            # Should this process die, or the store not answer, the saga goes on with completing from then on.
            due_at, digest = now + self.completing_lease, part_digest(named)
            waits = await saga.postpone(tx, INGEST, file_id, step=STORE, due_at=due_at, data={"named": digest})
            if claimed and not waits:
                raise upload_not_found()
        if claimed:
            stored = await self._complete_in_store(upload, named)
            return await self.finish(upload, stored)
        async with self._database.reading() as tx:
            await self._owned(tx, owner_id, upload_id)
            return await self._files.file_out(tx, owner_id, file_id)

    async def finish(self, upload: Upload, stored: StoredObject) -> FileOut:
        """The last step: the stored object becomes the file, its reservation becomes use.

        Raises:
            Problem: 404 when the upload was aborted or the file purged meanwhile; the object is removed again.
        """
        async with self._database.reading() as tx:
            name = await self._files.name_of(tx, upload.file_id) or ""
        mime_type, needs_processing = await look_into(self._store, upload, name, self._can_show)
        try:
            async with self._database.transaction() as tx:
                if await repository.finish(tx, upload.id):
                    await quota.use(tx, upload.owner_id, upload.size)
                    await move_on(tx, upload.file_id, needs_processing=needs_processing)
                    return await self._files.finish_file(
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
                    return await self._files.file_out(tx, upload.owner_id, upload.file_id)
        except Problem as problem:
            if problem.status != 404:
                raise
            async with self._database.transaction() as tx:
                await call_off(tx, self._files, upload.id, "file purged", claimed_before=_ANY_TIME)
        async with self._database.reading() as tx:
            # Whoever comes late with what it once read may find the upload completed and forgotten.
            if await checking.named_keys(tx, [upload.object_key]):
                return await self._files.file_out(tx, upload.owner_id, upload.file_id)
        await self._store.delete([upload.object_key])
        raise upload_not_found()

    async def abort(self, owner_id: str, upload_id: str) -> None:
        """End an upload without a file: bytes and reservation are released.

        Raises:
            Problem: 404 ``upload-not-found``; 409 ``upload-completed`` or ``upload-completing``.
        """
        async with self._database.transaction() as tx:
            upload = await self._owned(tx, owner_id, upload_id)
            stale = self._clock() - self.completing_lease
            dropped = await call_off(tx, self._files, upload_id, "aborted by its owner", claimed_before=stale)
            if not dropped:
                # Read again: whoever raced with this call may have completed it, or aborted it.
                state = await repository.state_of(tx, upload_id)
                if state is None:
                    raise upload_not_found()
                raise completed(upload) if state == COMPLETED else completing(upload)
        await self.release_in_store(upload.object_key, upload.store_upload_id)

    async def abort_of_purged_file(self, tx: Transaction, file_id: str) -> None:
        """End the open upload of a file that was purged, in the caller's transaction."""
        upload = await repository.find_by_file(tx, file_id)
        if upload is not None:
            await call_off(tx, self._files, upload.id, "file purged")

    async def release_in_store(self, object_key: str, store_upload_id: str | None) -> None:
        """Remove what the store holds of an aborted upload. May be repeated.

        Raises:
            ObjectStoreError: the store did not do it; try again later.
        """
        if store_upload_id is not None:
            await self._store.abort_multipart(object_key, store_upload_id)
        await self._store.delete([object_key])

    async def expire(self, upload: Upload, reason: str = EXPIRED) -> None:
        """End an upload whose time is over; one that a crash left whole in the store becomes its file."""
        if await self.finished_after_all(upload):
            return
        async with self._database.transaction() as tx:
            name = await self._files.name_of(tx, upload.file_id)
            stale = self._clock() - self.completing_lease
            # One that was resumed since it was read lives on.
            over_by = self._clock() if reason == EXPIRED else None
            dropped = await call_off(
                tx, self._files, upload.id, reason, claimed_before=stale, expired_before=over_by, cancelled=False
            )
            if dropped and name is not None:
                code = ReasonCode.NOT_ARRIVED_IN_TIME if reason == EXPIRED else ReasonCode.NOT_STORED
                record_failure(tx, upload.file_id, upload.owner_id, name, code)
        if dropped:
            await self.release_in_store(upload.object_key, upload.store_upload_id)

    async def drop_whole(self, upload_id: str, reason: str) -> None:
        """End an upload that came whole with its request and failed."""
        async with self._database.transaction() as tx:
            tx.takes_back = await call_off(tx, self._files, upload_id, reason, claimed_before=_ANY_TIME)

    async def drop(self, tx: Transaction, upload_id: str, reason: str, *, claimed_before: datetime) -> Upload | None:
        """Remove upload, file and reservation, if the upload is OPEN or began to complete before then; the row."""
        return await drop(tx, self._files, upload_id, reason, claimed_before=claimed_before)

    async def _owned(self, tx: Transaction, owner_id: str, upload_id: str) -> Upload:
        upload = await repository.find(tx, upload_id) if is_id(upload_id) else None
        if upload is None or upload.owner_id != owner_id:
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
                # Completed before, by a request that was cut off or runs beside this one.
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
            # The claim stands: whether the store completed is unknown, and completing again is safe.
            raise problem_of_store(error) from error

    async def _parts_of(self, upload: Upload) -> list[Part]:
        try:
            return await self._store.list_parts(target_of(upload))
        except UploadNotFoundError:
            if await self.finished_after_all(upload):
                raise completed(upload) from None
            raise

    async def finished_after_all(self, upload: Upload) -> bool:
        """Finish what the store completed for a process that died before it could say so; whether it was so."""
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
                await saga.postpone(tx, INGEST, upload.file_id, step=STORE, due_at=upload.expires_at)
