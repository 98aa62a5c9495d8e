"""The list of a user's unfinished uploads."""

import asyncio

from metastore.features.auth.schemas import Caller
from metastore.features.files.service import FilesService
from metastore.features.uploads import repository
from metastore.features.uploads.models import Upload
from metastore.features.uploads.schemas import UnfinishedUpload
from metastore.kit.api.paging import Page, decode_cursor, encode_cursor
from metastore.kit.database.unit_of_work import Database
from metastore.ports.object_store import ObjectStore, ObjectStoreError, UploadNotFoundError, UploadTarget

_LISTED_AT_ONCE = 8


class UnfinishedUploads:
    """Lists uploads from the database with the bytes that the store has received of each."""

    def __init__(self, database: Database, store: ObjectStore, files: FilesService) -> None:
        self._database = database
        self._store = store
        self._files = files
        self._slots = asyncio.Semaphore(_LISTED_AT_ONCE)

    async def page(self, caller: Caller, *, limit: int, cursor: str | None) -> Page[UnfinishedUpload]:
        """Return one page of the caller's uploads, latest first.

        Raises:
            Problem: 422 ``invalid-cursor``.
        """
        after = str(decode_cursor(cursor, 1)[0]) if cursor else None
        async with self._database.reading() as tx:
            uploads = await repository.unfinished_of(tx, caller.id, after=after, limit=limit + 1)
            shown = uploads[:limit]
            places = await self._files.locations_of(tx, [upload.file_id for upload in shown])
        received = await asyncio.gather(*(self._received(upload) for upload in shown))
        items = [
            UnfinishedUpload(
                file_id=upload.file_id,
                upload_id=upload.id,
                name=places[upload.file_id].name,
                path=places[upload.file_id].folder_path,
                size=upload.size,
                part_size=upload.part_size,
                received_bytes=count,
                created_at=upload.created_at,
                expires_at=upload.expires_at,
            )
            for upload, count in zip(shown, received, strict=True)
            if upload.file_id in places
        ]
        more = len(uploads) > limit
        return Page(items=items, next_cursor=encode_cursor([shown[-1].id]) if more else None)

    async def _received(self, upload: Upload) -> int | None:
        """Return the bytes that the store holds; ``None`` when it does not respond."""
        if upload.store_upload_id is None:
            return 0
        target = UploadTarget(upload.object_key, upload.store_upload_id, upload.size, upload.part_size)
        async with self._slots:
            try:
                parts = await self._store.list_parts(target)
            except UploadNotFoundError:
                return 0
            except ObjectStoreError:
                return None
        return sum(part.size for part in parts)
