"""Queries about uploads for the reaper, the checks and the move to another store."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from metastore.features.uploads import repository
from metastore.features.uploads.models import OPEN, Upload
from metastore.kit.database.unit_of_work import Database, Transaction
from metastore.ports.object_store import ObjectStore, OpenMultipart


async def expired_without_saga(database: Database, now: datetime, limit: int) -> Sequence[Upload]:
    """Return up to ``limit`` unfinished uploads that have expired and that no saga will end."""
    async with database.reading() as tx:
        return await repository.expired_without_saga(tx, now, limit)


class OpenUpload(NamedTuple):
    """An open upload with its multipart upload in the store."""

    id: str
    owner_id: str
    file_id: str
    object_key: str
    store_upload_id: str


async def open_uploads(database: Database, after: str, limit: int) -> list[OpenUpload]:
    """Return up to ``limit`` open multipart uploads by ascending id, after the id ``after``."""
    async with database.reading() as tx:
        return [OpenUpload._make(row) for row in await repository.open_in_store(tx, after, limit)]


async def count_unfinished(database: Database) -> int:
    """Return the number of unfinished uploads."""
    async with database.reading() as tx:
        return await repository.count_unfinished(tx)


async def unfinished(database: Database, limit: int) -> Sequence[Upload]:
    """Return up to ``limit`` unfinished uploads of any owner and age."""
    async with database.reading() as tx:
        return await repository.unfinished(tx, limit)


async def find(database: Database, upload_id: str) -> Upload | None:
    """Return the upload, or ``None`` when it is gone."""
    async with database.reading() as tx:
        return await repository.find(tx, upload_id)


async def is_lost(database: Database, store: ObjectStore, upload: OpenUpload) -> bool:
    """Return whether the store has lost the parts of an upload that is still open."""
    if await store.is_open(upload.object_key, upload.store_upload_id):
        return False
    # Read the row last: completing and aborting change it before they change the store.
    current = await find(database, upload.id)
    return current is not None and (current.state, current.store_upload_id) == (OPEN, upload.store_upload_id)


async def referenced_keys(tx: Transaction, keys: Sequence[str]) -> set[str]:
    """Return which of these object keys belong to unfinished uploads."""
    return await repository.known_keys(tx, keys)


async def files_under_way(tx: Transaction, file_ids: Sequence[str]) -> set[str]:
    """Return which of these files have an unfinished upload."""
    return await repository.files_under_way(tx, file_ids)


async def unknown_multiparts(database: Database, multiparts: Sequence[OpenMultipart]) -> list[OpenMultipart]:
    """Return those of ``multiparts`` that belong to no unfinished upload.

    A multipart upload can be unknown although its key is in use: the process that opened it died before it saved the
    store's id, and a retry opened another one.
    """
    if not multiparts:
        return []
    async with database.reading() as tx:
        known = await repository.store_ids(tx, [multipart.key for multipart in multiparts])
    return [
        multipart
        for multipart in multiparts
        if multipart.key not in known or known[multipart.key] not in (None, multipart.upload_id)
    ]


async def forget_completed(database: Database, before: datetime, limit: int) -> None:
    """Delete rows of completed uploads that expired before ``before``. Completing them again then returns 404."""
    async with database.transaction() as tx:
        await repository.forget_completed(tx, before, limit)
