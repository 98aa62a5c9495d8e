"""What the reaper asks of the uploads feature."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from metastore.features.uploads import repository
from metastore.features.uploads.models import COMPLETED, COMPLETING, OPEN, Upload
from metastore.kit.database import Database, Transaction
from metastore.ports.object_store import ObjectStore, OpenMultipart


async def expired_uploads(database: Database, now: datetime, limit: int) -> list[Upload]:
    """Up to ``limit`` open and as many half-completed uploads whose time is over."""
    async with database.reading() as tx:
        return [
            *await repository.expired(tx, OPEN, now, limit),
            *await repository.expired(tx, COMPLETING, now, limit),
        ]


class OpenUpload(NamedTuple):
    """An open upload that the store has answered for."""

    id: str
    owner_id: str
    file_id: str
    object_key: str
    store_upload_id: str


async def open_uploads(database: Database, after: str, limit: int) -> list[OpenUpload]:
    """Up to ``limit`` of them, by ascending id from the one behind ``after``."""
    async with database.reading() as tx:
        return [OpenUpload._make(row) for row in await repository.open_in_store(tx, after, limit)]


async def count_unfinished(database: Database) -> int:
    """How many uploads are under way."""
    async with database.reading() as tx:
        return await repository.count_unfinished(tx)


async def unfinished(database: Database, limit: int) -> Sequence[Upload]:
    """Some uploads that are under way, whatever their owner and age."""
    async with database.reading() as tx:
        return await repository.unfinished(tx, limit)


async def find_unfinished(database: Database, upload_id: str) -> Upload | None:
    """The upload, if it still is and is not completed."""
    upload = await find(database, upload_id)
    return None if upload is None or upload.state == COMPLETED else upload


async def find(database: Database, upload_id: str) -> Upload | None:
    """The upload, if it still is."""
    async with database.reading() as tx:
        return await repository.find(tx, upload_id)


async def is_lost(database: Database, store: ObjectStore, upload: OpenUpload) -> bool:
    """Whether the store does not hold the upload's parts, though the upload is still open."""
    if await store.is_open(upload.object_key, upload.store_upload_id):
        return False
    # The row last: whoever completes or aborts changes it before the store.
    current = await find(database, upload.id)
    return current is not None and (current.state, current.store_upload_id) == (OPEN, upload.store_upload_id)


async def named_keys(tx: Transaction, keys: Sequence[str]) -> set[str]:
    """Which of these object keys belong to an upload under way."""
    return await repository.known_keys(tx, keys)


async def files_under_way(tx: Transaction, file_ids: Sequence[str]) -> set[str]:
    """Which of these files an upload under way brings."""
    return await repository.files_under_way(tx, file_ids)


async def unknown_multiparts(database: Database, multiparts: Sequence[OpenMultipart]) -> list[OpenMultipart]:
    """Those of ``multiparts`` that belong to no upload under way.

    An upload that crashed while the store answered may have begun a second one under its key; the first is unknown.
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
    """Delete rows of uploads completed and expired before then; completing them again is 404 from there on."""
    async with database.transaction() as tx:
        await repository.forget_completed(tx, before, limit)
