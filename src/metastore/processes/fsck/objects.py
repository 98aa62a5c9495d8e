"""Every object in the store: does any row name it?"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import timedelta

from metastore.kit.clock import Clock
from metastore.kit.database import Database, Transaction
from metastore.ports.object_store import ObjectNotFoundError, ObjectStore, StoredObject, StoreUnavailableError
from metastore.processes.fsck.check import Finding, Severity
from metastore.processes.fsck.outgoing import is_on_its_way_out

_BATCH = 500
NamedKeys = Callable[[Transaction, Sequence[str]], Awaitable[set[str]]]
"""Which of these keys a feature's rows name."""


class ObjectsCheck:
    """Objects against the rows that may name them.

    ``owners`` tells by prefix who may name an object; what lies under no such prefix is not ours to judge.
    """

    def __init__(
        self,
        database: Database,
        store: ObjectStore,
        owners: Mapping[str, Sequence[NamedKeys]],
        *,
        grace: timedelta,
        clock: Clock,
    ) -> None:
        self._database = database
        self._store = store
        self._owners = owners
        self._grace = grace
        self._clock = clock

    async def suspects(self) -> AsyncIterator[StoredObject]:
        """Objects that are old enough and that no row names."""
        for prefix, owners in self._owners.items():
            batch: list[StoredObject] = []
            async for stored in self._store.list_objects(prefix):
                if stored.modified_at < self._clock() - self._grace:
                    batch.append(stored)
                if len(batch) == _BATCH:
                    for orphan in await self._unnamed(batch, owners):
                        yield orphan
                    batch = []
            for orphan in await self._unnamed(batch, owners):
                yield orphan

    async def confirm(self, suspect: StoredObject) -> Finding | None:
        """See ``Check``."""
        owners = next(owners for prefix, owners in self._owners.items() if suspect.key.startswith(prefix))
        if not await self._unnamed([suspect], owners):
            return None
        try:
            await self._store.examine(suspect.key)
        except ObjectNotFoundError:
            return None
        except StoreUnavailableError:
            await self._store.check()
        if await is_on_its_way_out(self._database, suspect.key, self._clock() - self._grace):
            return None
        found = f"no row names this object of {suspect.size} bytes from {suspect.modified_at:%Y-%m-%d %H:%M:%S} UTC"
        return Finding("orphan-object", Severity.WARNING, suspect.key, found, "deletes the object")

    async def repair(self, suspect: StoredObject) -> str:
        """See ``Check``."""
        await self._store.delete([suspect.key])
        return "deleted"

    async def _unnamed(self, objects: Sequence[StoredObject], owners: Sequence[NamedKeys]) -> list[StoredObject]:
        if not objects:
            return []
        keys = [stored.key for stored in objects]
        named: set[str] = set()
        async with self._database.reading() as tx:
            for owner in owners:
                named |= await owner(tx, keys)
        return [stored for stored in objects if stored.key not in named]
