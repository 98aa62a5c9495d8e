"""What the reaper asks of the uploads feature."""

from collections.abc import Sequence
from datetime import datetime

from metastore.features.uploads import repository
from metastore.features.uploads.models import COMPLETING, OPEN, Upload
from metastore.kit.database import Database
from metastore.ports.object_store import OpenMultipart


async def expired_uploads(database: Database, now: datetime, limit: int) -> list[Upload]:
    """Up to ``limit`` open and as many half-completed uploads whose time is over."""
    async with database.reading() as tx:
        return [
            *await repository.expired(tx, OPEN, now, limit),
            *await repository.expired(tx, COMPLETING, now, limit),
        ]


async def unknown_multiparts(database: Database, multiparts: Sequence[OpenMultipart]) -> list[OpenMultipart]:
    """Those of ``multiparts`` that belong to no upload under way."""
    if not multiparts:
        return []
    async with database.reading() as tx:
        known = await repository.known_keys(tx, [multipart.key for multipart in multiparts])
    return [multipart for multipart in multiparts if multipart.key not in known]


async def forget_completed(database: Database, before: datetime, limit: int) -> None:
    """Delete rows of uploads completed and expired before then; completing them again is 404 from there on."""
    async with database.transaction() as tx:
        await repository.forget_completed(tx, before, limit)
