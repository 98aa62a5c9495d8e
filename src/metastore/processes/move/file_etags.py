"""Check that every file's object is in the target store, and record its new ETag."""

import asyncio
from collections.abc import Sequence

from sqlalchemy import column, select, table, update

from metastore.kit.database.unit_of_work import Database
from metastore.ports.object_store import ObjectNotFoundError, ObjectStore

_PAGE = 200
_CONCURRENCY = 8
_NODES = table("nodes", column("id"), column("size"), column("object_key"), column("object_etag"))
_File = tuple[str, int, str, str | None]


async def update_etags(database: Database, store: ObjectStore) -> list[str]:
    """Record each file's ETag in the target store.

    Returns the ids of files whose object is missing or has the wrong size.
    """
    missing: list[str] = []
    after = ""
    slots = asyncio.Semaphore(_CONCURRENCY)

    async def etag_of(file: _File) -> str | None:
        async with slots:
            try:
                stored = await store.head(file[2])
            except ObjectNotFoundError:
                return None
        return stored.etag if stored.size == file[1] else None

    while page := await _files(database, after):
        after = page[-1][0]
        etags = await asyncio.gather(*(etag_of(file) for file in page))
        missing += [file[0] for file, etag in zip(page, etags, strict=True) if etag is None]
        await _write_etags(
            database, [(file[0], etag) for file, etag in zip(page, etags, strict=True) if etag not in (None, file[3])]
        )
    return missing


async def _files(database: Database, after: str) -> list[_File]:
    statement = (
        select(_NODES.c.id, _NODES.c.size, _NODES.c.object_key, _NODES.c.object_etag)
        .where(_NODES.c.id > after, _NODES.c.object_key.is_not(None))
        .order_by(_NODES.c.id)
        .limit(_PAGE)
    )
    async with database.reading() as tx:
        return [(row[0], row[1], row[2], row[3]) for row in await tx.session.execute(statement)]


async def _write_etags(database: Database, etags: Sequence[tuple[str, str | None]]) -> None:
    if not etags:
        return
    async with database.transaction() as tx:
        for file_id, etag in etags:
            await tx.session.execute(update(_NODES).where(_NODES.c.id == file_id).values(object_etag=etag))
