"""Small files sent whole through the API, in one ``multipart/form-data`` request.

The same steps as a multipart upload, taken at once: the row begins in COMPLETING, so that a crash between storing the
object and committing the file leaves something for the reaper to go by.
"""

from collections.abc import AsyncIterator

from metastore.features.files.schemas import FileOut
from metastore.features.uploads.refusals import problem_of_store
from metastore.features.uploads.schemas import InitiateIn
from metastore.features.uploads.service import UploadsService
from metastore.kit.database import Database
from metastore.ports.object_store import ObjectStore, ObjectStoreError


class WholeUploads:
    """Stores a small file in one go."""

    def __init__(self, database: Database, store: ObjectStore, uploads: UploadsService) -> None:
        self._database = database
        self._store = store
        self._uploads = uploads

    async def store(self, owner_id: str, wanted: InitiateIn, chunks: AsyncIterator[bytes]) -> FileOut:
        """Store exactly ``wanted.size`` bytes from ``chunks`` as a file.

        Raises:
            Problem: as ``UploadsService.initiate``; nothing is kept.
        """
        async with self._database.transaction() as tx:
            upload = await self._uploads.begin(tx, owner_id, wanted, claimed=True)
        try:
            stored = await self._store.put(upload.object_key, chunks, size=upload.size, content_type=upload.mime_type)
        except BaseException as error:
            await self._uploads.drop_whole(upload.id, "not stored")
            if isinstance(error, ObjectStoreError):
                raise problem_of_store(error) from error
            raise
        return await self._uploads.finish(upload, stored)
