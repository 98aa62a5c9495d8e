"""The CRC-32 of files: looked up, or computed from their bytes and kept."""

import asyncio
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress

from metastore.features.files.content.crcs import StoredBytes, keep_crcs, known_crcs
from metastore.kit.database.unit_of_work import Database
from metastore.kit.problems.problem import Problem
from metastore.ports.object_store import DamagedObjectError, ObjectStore


class Checksums:
    """Finds the CRC-32 of files. Computing one reads the object once, in pieces, and computes in a thread.

    ``zlib`` of CPython computes at two to three gigabytes a second and releases the interpreter meanwhile, which is
    faster than bytes arrive from a store; a library of its own would gain nothing.
    """

    def __init__(self, database: Database, store: ObjectStore) -> None:
        self._database = database
        self._store = store
        self._computing: dict[StoredBytes, asyncio.Task[int]] = {}

    async def known(self, file_ids: Sequence[str]) -> dict[str, int]:
        """Return what is kept for these files, by ID."""
        if not file_ids:
            return {}
        async with self._database.reading() as tx:
            return await known_crcs(tx, file_ids)

    async def compute(self, file: StoredBytes) -> int:
        """Compute the CRC-32 of a file and keep it.

        What has begun goes on when its caller is cancelled, so that a client or proxy that did not wait for it finds it
        done the next time. Callers that need the same file share it.

        Raises:
            ObjectStoreError: the object is gone or damaged, or the store is unavailable.
        """
        computing = self._computing.get(file)
        if computing is None:
            computing = self._computing[file] = asyncio.create_task(self._compute(file), name="compute a CRC-32")
            computing.add_done_callback(lambda task: self._finished(file, task))
        return await asyncio.shield(computing)

    def _finished(self, file: StoredBytes, task: asyncio.Task[int]) -> None:
        del self._computing[file]
        if not task.cancelled():
            task.exception()  # retrieved here, in case that nobody waits any more

    async def _compute(self, file: StoredBytes) -> int:
        crc, size = 0, 0
        async for chunk in self._store.read(file.object_key):
            crc = await asyncio.to_thread(zlib.crc32, chunk, crc)
            size += len(chunk)
        if size != file.size:
            raise DamagedObjectError(f"{file.object_key} has {size} bytes instead of {file.size}")
        await self.keep({file: crc})
        return crc

    async def keep(self, crcs: Mapping[StoredBytes, int]) -> None:
        """Keep what was computed, if the database and its disk allow it; it can be computed again."""
        if crcs:
            with suppress(Problem):
                async with self._database.transaction() as tx:
                    await keep_crcs(tx, crcs)
