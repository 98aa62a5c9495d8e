"""The CRC-32 of files: looked up, or computed from their bytes and kept."""

import asyncio
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress

from metastore.features.files.content.crcs import StoredBytes, files_without_crc, keep_crcs, known_crcs
from metastore.kit.database.unit_of_work import Database, Transaction
from metastore.kit.problems.problem import Problem
from metastore.ports.object_store import DamagedObjectError, ObjectNotFoundError, ObjectStore


class Checksums:
    """Finds the CRC-32 of files. Computing one reads the object once, in pieces, and computes in a thread.

    ``zlib`` of CPython computes at two to three gigabytes a second and releases the interpreter meanwhile, which is
    faster than bytes arrive from a store; a library of its own would gain nothing.
    """

    def __init__(self, database: Database, store: ObjectStore) -> None:
        self._database = database
        self._store = store

    async def known(self, file_ids: Sequence[str]) -> dict[str, int]:
        """Return what is kept for these files, by ID."""
        if not file_ids:
            return {}
        async with self._database.reading() as tx:
            return await known_crcs(tx, file_ids)

    async def compute(self, file: StoredBytes) -> int:
        """Compute the CRC-32 of a file and keep it.

        Raises:
            ObjectStoreError: the object is gone or damaged, or the store is unavailable.
        """
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

    async def missing(self, tx: Transaction, file_ids: Sequence[str]) -> list[StoredBytes]:
        """Return those of the files that are stored and whose CRC-32 is not kept."""
        return await files_without_crc(tx, file_ids)

    async def compute_all(self, files: Sequence[StoredBytes]) -> None:
        """Compute the CRC-32 of files one after the other; skip those whose object is gone."""
        for file in files:
            with suppress(ObjectNotFoundError):
                await self.compute(file)
