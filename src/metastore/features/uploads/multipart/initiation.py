"""Initiating an upload: first in the store, then everything else in one transaction.

A process that dies in between leaves a multipart upload that no row names; a recurring job aborts it.
"""

from contextlib import suppress
from datetime import timedelta

from metastore.features.auth.accounts import quota
from metastore.features.files.content.sniffing import normalize_media_type
from metastore.features.files.service import FilesService
from metastore.features.files.tree.access import FolderAccess
from metastore.features.files.tree.names import normalize_name, split_path
from metastore.features.uploads import repository
from metastore.features.uploads.events import UploadInitiated
from metastore.features.uploads.models import OPEN, Upload
from metastore.features.uploads.multipart.ingest_saga import start_saga
from metastore.features.uploads.multipart.limits import UploadLimits
from metastore.features.uploads.multipart.parts import choose_part_size
from metastore.features.uploads.multipart.problems import problem_of_store, too_large
from metastore.features.uploads.schemas import InitiateIn
from metastore.kit.clock import Clock
from metastore.kit.database.unit_of_work import Database, Transaction
from metastore.kit.idempotency.checkpoints import save_checkpoint
from metastore.kit.ids import new_id
from metastore.kit.problems.problem import Problem
from metastore.ports.object_store import ObjectStore, ObjectStoreError

_SMALL = 64 * 2**20
"""Up to this many bytes, the store is asked before the quota."""


class Initiation:
    """Initiates multipart uploads."""

    def __init__(
        self, database: Database, store: ObjectStore, files: FilesService, limits: UploadLimits, clock: Clock
    ) -> None:
        self._database = database
        self._store = store
        self._files = files
        self._limits = limits
        self._clock = clock

    async def open(self, place: FolderAccess, request: InitiateIn) -> Upload:
        """Open the multipart upload in the store, and create the upload.

        Raises:
            Problem: as ``UploadsService.initiate``. Nothing is kept.
        """
        self._check(request)
        if request.size > _SMALL:
            # The store may allocate the bytes, so do not ask it for what the quota refuses.
            async with self._database.reading() as tx:
                await quota.require_room(tx, place.owner_id, request.size)
        upload_id = new_id()
        key, part_size = _key_of(upload_id), choose_part_size(request.size, self._limits.part_size)
        media_type = normalize_media_type(request.mime_type)
        try:
            store_upload_id = await self._store.create_multipart(
                key, size=request.size, part_size=part_size, content_type=media_type
            )
        except ObjectStoreError as error:
            raise problem_of_store(error) from error
        try:
            async with self._database.transaction() as tx:
                upload = await self.begin(tx, place, request, upload_id, store_upload_id)
                await save_checkpoint(tx, upload.id)
        except Problem as problem:
            # After any other failure, it is unknown whether the transaction was committed.
            if problem.status < 500:
                with suppress(ObjectStoreError):
                    await self._store.abort_multipart(key, store_upload_id)
            raise
        return upload

    async def begin(
        self,
        tx: Transaction,
        place: FolderAccess,
        request: InitiateIn,
        upload_id: str,
        store_upload_id: str | None,
    ) -> Upload:
        """Create reservation, file entry, upload row and saga in the caller's transaction."""
        await quota.reserve(tx, place.owner_id, request.size)
        node = await self._files.create_uploading_file(
            tx,
            place,
            path=request.path,
            name=request.name,
            size=request.size,
            mime_type=request.mime_type,
            visibility=request.visibility,
        )
        now = self._clock()
        upload = Upload(
            id=upload_id,
            owner_id=place.owner_id,
            file_id=node.id,
            object_key=_key_of(upload_id),
            store_upload_id=store_upload_id,
            size=request.size,
            part_size=choose_part_size(request.size, self._limits.part_size),
            mime_type=normalize_media_type(request.mime_type),
            state=OPEN,
            claimed_at=None,
            created_at=now,
            expires_at=now + timedelta(seconds=self._limits.upload_ttl),
        )
        await repository.add(tx, upload)
        await start_saga(tx, upload, node.name, upload.expires_at)
        tx.record(
            UploadInitiated(
                upload_id=upload.id, file_id=node.id, owner_id=upload.owner_id, size=upload.size, name=node.name
            )
        )
        return upload

    def _check(self, request: InitiateIn) -> None:
        if request.size > self._limits.max_file_size:
            raise too_large(self._limits.max_file_size)
        normalize_name(request.name)
        split_path(request.path)


def _key_of(upload_id: str) -> str:
    return f"files/{upload_id}"
