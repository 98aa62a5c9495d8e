"""Small files uploaded whole in one ``multipart/form-data`` request.

The steps are those of a multipart upload, taken in one request. The row starts in COMPLETING, so that the saga can
finish or end the upload after a crash between storing the object and committing the file.
"""

from collections.abc import AsyncIterator

from metastore.features.files.content.processing import INGEST, STORE
from metastore.features.files.schemas import FileOut
from metastore.features.uploads import repository
from metastore.features.uploads.models import COMPLETED, Upload
from metastore.features.uploads.multipart.limits import WHOLE_WITHIN
from metastore.features.uploads.multipart.problems import problem_of_store
from metastore.features.uploads.schemas import InitiateIn
from metastore.features.uploads.service import UploadsService
from metastore.kit.clock import utc_now
from metastore.kit.database.unit_of_work import Database, Transaction
from metastore.kit.idempotency.checkpoints import checkpoint, save_checkpoint
from metastore.kit.problems.problem import unavailable
from metastore.kit.saga import sagas
from metastore.ports.object_store import ObjectStore, ObjectStoreError


class WholeUploads:
    """Stores small files."""

    def __init__(self, database: Database, store: ObjectStore, uploads: UploadsService) -> None:
        self._database = database
        self._store = store
        self._uploads = uploads

    async def store(self, owner_id: str, request: InitiateIn, chunks: AsyncIterator[bytes]) -> FileOut:
        """Store exactly ``request.size`` bytes from ``chunks`` as a file.

        A retry under the same idempotency key continues with the earlier upload, unless that has ended.

        Raises:
            Problem: as ``UploadsService.initiate``; nothing is kept. 503 while the earlier upload is being ended.
        """
        earlier = checkpoint()
        async with self._database.transaction() as tx:
            upload = await _resume(tx, earlier) if earlier is not None else None
            if upload is None:
                upload = await self._uploads.begin(tx, owner_id, request, claimed=True)
                await save_checkpoint(tx, upload.id)
        if upload.state == COMPLETED:
            return await self._uploads.complete(owner_id, upload.file_id, upload.id, [])
        try:
            stored = await self._store.put(upload.object_key, chunks, size=upload.size, content_type=upload.mime_type)
        except BaseException as error:
            await self._uploads.undo(upload.id, "not stored")
            if isinstance(error, ObjectStoreError):
                raise problem_of_store(error) from error
            raise
        return await self._uploads.finish(upload, stored)


async def _resume(tx: Transaction, upload_id: str) -> Upload | None:
    """Claim the upload that an interrupted request began. Return ``None`` when the upload has ended.

    Raises:
        Problem: 503 while the upload is being ended.
    """
    now = utc_now()
    unfinished = await repository.claim(tx, upload_id, now)
    upload = await repository.find(tx, upload_id)
    if upload is None or not unfinished:
        return upload
    if not await sagas.postpone(tx, INGEST, upload.file_id, step=STORE, due_at=now + WHOLE_WITHIN):
        raise unavailable("An earlier attempt of this request is being cleaned up.")
    return upload
