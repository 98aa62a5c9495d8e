"""What was made of files: small pictures whose object is gone, and probes of files that are gone.

All of it can be made again or is of no use, so a repair lets go of it.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

from sqlalchemy import column, delete, exists, select, table

from metastore.features.files import checking
from metastore.features.files.checking import DerivedObject
from metastore.kit.clock import Clock
from metastore.kit.database import Database
from metastore.ports.object_store import DamagedObjectError, ObjectNotFoundError, ObjectStore
from metastore.processes.fsck.check import Finding, Severity
from metastore.processes.fsck.outgoing import is_on_its_way_out

_PAGE = 200
_AT_ONCE = 8
_MEDIA = table("media", column("file_id"))
_NODES = table("nodes", column("id"))


class ThumbnailsCheck:
    """Files against their small pictures."""

    def __init__(self, database: Database, store: ObjectStore) -> None:
        self._database = database
        self._store = store
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def suspects(self) -> AsyncIterator[DerivedObject]:
        """Pictures that are not there, or not whole."""
        after = ""
        while True:
            async with self._database.reading() as tx:
                page = await checking.derived_objects(tx, after, _PAGE)
            if not page:
                return
            after = page[-1].file_id
            faults = await asyncio.gather(*(self._fault_of(derived) for derived in page))
            for derived, fault in zip(page, faults, strict=True):
                if fault is not None:
                    yield derived

    async def confirm(self, suspect: DerivedObject) -> Finding | None:
        """See ``Check``."""
        async with self._database.reading() as tx:
            if not await checking.names_derived(tx, suspect):
                return None
        fault = await self._fault_of(suspect)
        if fault is None:
            return None
        found = f"the picture {suspect.key} of this file {fault}"
        return Finding("dangling-thumbnail", Severity.WARNING, suspect.file_id, found, "lets the file go without it")

    async def repair(self, suspect: DerivedObject) -> str:
        """See ``Check``."""
        async with self._database.transaction() as tx:
            await checking.forget_derived(tx, suspect)
        await self._store.delete([suspect.key])
        return "forgotten"

    async def _fault_of(self, derived: DerivedObject) -> str | None:
        async with self._turns:
            try:
                await self._store.examine(derived.key)
            except ObjectNotFoundError:
                return "is not in the store"
            except DamagedObjectError as error:
                return f"is damaged: {error}"
        return None


class MediaCheck:
    """Probes against their files."""

    def __init__(self, database: Database, *, grace: timedelta, clock: Clock) -> None:
        self._database = database
        self._grace = grace
        self._clock = clock

    async def suspects(self) -> AsyncIterator[str]:
        """Ids of files that are gone."""
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
        """See ``Check``."""
        async with self._database.reading() as tx:
            there = await tx.session.scalar(select(_MEDIA.c.file_id).where(_MEDIA.c.file_id == suspect))
            file = await tx.session.scalar(select(_NODES.c.id).where(_NODES.c.id == suspect))
        if there is None or file is not None:
            return None
        if await is_on_its_way_out(self._database, suspect, self._clock() - self._grace):
            return None
        found = "something is known about the media in a file that does not exist"
        return Finding("dangling-media", Severity.WARNING, suspect, found, "deletes what is known")

    async def repair(self, suspect: str) -> str:
        """See ``Check``."""
        async with self._database.transaction() as tx:
            await tx.session.execute(delete(_MEDIA).where(_MEDIA.c.file_id == suspect))
        return "deleted"
