"""Find objects in the store that no row refers to."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import timedelta

from metastore.kit.clock import Clock
from metastore.kit.database.unit_of_work import Database, Transaction
from metastore.ports.object_store import ObjectNotFoundError, ObjectStore, StoredObject, StoreUnavailableError
from metastore.processes.fsck.check import Finding, Severity
from metastore.processes.fsck.pending_deletions import is_deletion_pending

_BATCH = 500
ReferencedKeys = Callable[[Transaction, Sequence[str]], Awaitable[set[str]]]
"""Returns which of these keys a feature's rows refer to."""


class ObjectsCheck:
    """Objects that no row refers to.

    ``owners`` maps key prefixes to the queries of the features that may refer to such objects. Objects under other
    prefixes are not the product's and are skipped.
    """

    def __init__(
        self,
        database: Database,
        store: ObjectStore,
        owners: Mapping[str, Sequence[ReferencedKeys]],
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
        """Yield unreferenced objects that are older than the grace period."""
        for prefix, owners in self._owners.items():
            batch: list[StoredObject] = []
            async for stored in self._store.list_objects(prefix):
                if stored.modified_at < self._clock() - self._grace:
                    batch.append(stored)
                if len(batch) == _BATCH:
                    for orphan in await self._unreferenced(batch, owners):
                        yield orphan
                    batch = []
            for orphan in await self._unreferenced(batch, owners):
                yield orphan

    async def confirm(self, suspect: StoredObject) -> Finding | None:
        """Implement ``Check``."""
        owners = next(owners for prefix, owners in self._owners.items() if suspect.key.startswith(prefix))
        if not await self._unreferenced([suspect], owners):
            return None
        try:
            await self._store.examine(suspect.key)
        except ObjectNotFoundError:
            return None
        except StoreUnavailableError:
            await self._store.check()
        if await is_deletion_pending(self._database, suspect.key, self._clock() - self._grace):
            return None
        found = f"no row refers to this object of {suspect.size} bytes from {suspect.modified_at:%Y-%m-%d %H:%M:%S} UTC"
        return Finding("orphan-object", Severity.WARNING, suspect.key, found, "deletes the object")

    async def repair(self, suspect: StoredObject) -> str:
        """Implement ``Check``."""
        await self._store.delete([suspect.key])
        return "deleted"

    async def _unreferenced(
        self, objects: Sequence[StoredObject], owners: Sequence[ReferencedKeys]
    ) -> list[StoredObject]:
        if not objects:
            return []
        keys = [stored.key for stored in objects]
        referenced: set[str] = set()
        async with self._database.reading() as tx:
            for owner in owners:
                referenced |= await owner(tx, keys)
        return [stored for stored in objects if stored.key not in referenced]
