"""Find thumbnails and previews without an object, and media records without a file.

All of it can be generated again or is useless, so a repair deletes it.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Protocol

from sqlalchemy import column, delete, exists, select, table

from metastore.features.files.content.integrity import DerivedObject
from metastore.features.media.objects import integrity as media
from metastore.features.media.objects.storage import delete_objects
from metastore.kit.clock import Clock
from metastore.kit.database.unit_of_work import Database, Transaction
from metastore.ports.object_store import DamagedObjectError, ObjectNotFoundError, ObjectStore
from metastore.processes.fsck.check import Finding, Severity
from metastore.processes.fsck.pending_deletions import is_deletion_pending

_PAGE = 200
_CONCURRENCY = 8
_MEDIA = table("media", column("file_id"))
_NODES = table("nodes", column("id"))


class DerivedObjects(Protocol):
    """The integrity module of a feature that owns derived objects."""

    async def derived_objects(self, tx: Transaction, after: str, limit: int) -> list[DerivedObject]:
        """Return a page of derived objects, by ascending file id."""
        ...

    async def references_derived(self, tx: Transaction, derived: DerivedObject) -> bool:
        """Return whether the file still refers to it."""
        ...

    async def clear_derived(self, tx: Transaction, derived: DerivedObject) -> None:
        """Remove the file's reference to it."""
        ...


class DerivedImagesCheck:
    """Thumbnails, previews and sprites whose object is missing or damaged."""

    def __init__(self, database: Database, store: ObjectStore, derived: DerivedObjects) -> None:
        self._database = database
        self._store = store
        self._derived = derived
        self._slots = asyncio.Semaphore(_CONCURRENCY)

    async def suspects(self) -> AsyncIterator[DerivedObject]:
        """Yield images whose object is missing or damaged."""
        after = ""
        while True:
            async with self._database.reading() as tx:
                page = await self._derived.derived_objects(tx, after, _PAGE)
            if not page:
                return
            after = page[-1].file_id
            faults = await asyncio.gather(*(self._fault_of(derived) for derived in page))
            for derived, fault in zip(page, faults, strict=True):
                if fault is not None:
                    yield derived

    async def confirm(self, suspect: DerivedObject) -> Finding | None:
        """Implement ``Check``."""
        async with self._database.reading() as tx:
            if not await self._derived.references_derived(tx, suspect):
                return None
        fault = await self._fault_of(suspect)
        if fault is None:
            return None
        found = f"the derived image {suspect.key} of this file {fault}"
        return Finding("dangling-thumbnail", Severity.WARNING, suspect.file_id, found, "removes the reference to it")

    async def repair(self, suspect: DerivedObject) -> str:
        """Implement ``Check``."""
        async with self._database.transaction() as tx:
            await self._derived.clear_derived(tx, suspect)
        await self._store.delete([suspect.key])
        return "removed"

    async def _fault_of(self, derived: DerivedObject) -> str | None:
        async with self._slots:
            try:
                await self._store.examine(derived.key)
            except ObjectNotFoundError:
                return "is not in the store"
            except DamagedObjectError as error:
                return f"is damaged: {error}"
        return None


class MediaCheck:
    """Media records and their derived objects whose file no longer exists."""

    def __init__(self, database: Database, store: ObjectStore, *, grace: timedelta, clock: Clock) -> None:
        self._database = database
        self._store = store
        self._grace = grace
        self._clock = clock

    async def suspects(self) -> AsyncIterator[str]:
        """Yield the ids of files that no longer exist."""
        after = ""
        while True:
            statement = select(_MEDIA.c.file_id).where(
                _MEDIA.c.file_id > after, ~exists().where(_NODES.c.id == _MEDIA.c.file_id)
            )
            async with self._database.reading() as tx:
                page = list(await tx.session.scalars(statement.order_by(_MEDIA.c.file_id).limit(_PAGE)))
            if not page:
                return
            for file_id in page:
                yield file_id
            after = page[-1]

    async def confirm(self, suspect: str) -> Finding | None:
        """Implement ``Check``."""
        async with self._database.reading() as tx:
            media_id = await tx.session.scalar(select(_MEDIA.c.file_id).where(_MEDIA.c.file_id == suspect))
            file = await tx.session.scalar(select(_NODES.c.id).where(_NODES.c.id == suspect))
        if media_id is None or file is not None:
            return None
        if await is_deletion_pending(self._database, suspect, self._clock() - self._grace):
            return None
        found = "there is a media record of a file that does not exist"
        return Finding("dangling-media", Severity.WARNING, suspect, found, "deletes the record and the derived objects")

    async def repair(self, suspect: str) -> str:
        """Implement ``Check``."""
        async with self._database.reading() as tx:
            keys = await media.derived_keys(tx, suspect)
        await delete_objects(self._store, keys)
        async with self._database.transaction() as tx:
            await tx.session.execute(delete(_MEDIA).where(_MEDIA.c.file_id == suspect))
        return "deleted"
