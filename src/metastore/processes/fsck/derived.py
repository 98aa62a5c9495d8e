"""What was made of files: pictures whose object is gone, and what is known of files that are gone.

All of it can be made again or is of no use, so a repair lets go of it.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Protocol

from sqlalchemy import column, delete, exists, select, table

from metastore.features.files.checking import DerivedObject
from metastore.features.media import checking as media
from metastore.features.media.object_storage import delete_all
from metastore.kit.clock import Clock
from metastore.kit.database import Database, Transaction
from metastore.ports.object_store import DamagedObjectError, ObjectNotFoundError, ObjectStore
from metastore.processes.fsck.check import Finding, Severity
from metastore.processes.fsck.outgoing import is_on_its_way_out

_PAGE = 200
_AT_ONCE = 8
_MEDIA = table("media", column("file_id"))
_NODES = table("nodes", column("id"))


class Derived(Protocol):
    """Who knows of derived objects: the module ``checking`` of a feature."""

    async def derived_objects(self, tx: Transaction, after: str, limit: int) -> list[DerivedObject]:
        """A page of them, by ascending id of the file."""
        ...

    async def names_derived(self, tx: Transaction, derived: DerivedObject) -> bool:
        """Whether there still is such."""
        ...

    async def forget_derived(self, tx: Transaction, derived: DerivedObject) -> None:
        """Let the file go without it."""
        ...


class PicturesCheck:
    """Files against the pictures that were made of them."""

    def __init__(self, database: Database, store: ObjectStore, derived: Derived) -> None:
        self._database = database
        self._store = store
        self._derived = derived
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def suspects(self) -> AsyncIterator[DerivedObject]:
        """Pictures that are not there, or not whole."""
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
        """See ``Check``."""
        async with self._database.reading() as tx:
            if not await self._derived.names_derived(tx, suspect):
                return None
        fault = await self._fault_of(suspect)
        if fault is None:
            return None
        found = f"the picture {suspect.key} of this file {fault}"
        return Finding("dangling-thumbnail", Severity.WARNING, suspect.file_id, found, "lets the file go without it")

    async def repair(self, suspect: DerivedObject) -> str:
        """See ``Check``."""
        async with self._database.transaction() as tx:
            await self._derived.forget_derived(tx, suspect)
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
    """What is known of files, and was made of them, against the files."""

    def __init__(self, database: Database, store: ObjectStore, *, grace: timedelta, clock: Clock) -> None:
        self._database = database
        self._store = store
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
        return Finding("dangling-media", Severity.WARNING, suspect, found, "deletes what is known and what was made")

    async def repair(self, suspect: str) -> str:
        """See ``Check``."""
        async with self._database.reading() as tx:
            keys = await media.keys_of_file(tx, suspect)
        await delete_all(self._store, keys)
        async with self._database.transaction() as tx:
            await tx.session.execute(delete(_MEDIA).where(_MEDIA.c.file_id == suspect))
        return "deleted"
