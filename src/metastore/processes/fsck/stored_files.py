"""Find files whose bytes are missing, of the wrong size or changed."""

import asyncio
from collections.abc import AsyncIterator, Callable

from metastore.client.checksums import algorithm_of, can_compute, measure
from metastore.features.files.content import integrity
from metastore.features.files.content.integrity import StoredFile
from metastore.kit.database.unit_of_work import Database
from metastore.ports.object_store import DamagedObjectError, ObjectNotFoundError, ObjectStore, StoreUnavailableError
from metastore.processes.fsck.check import Finding, Severity

_PAGE = 200
_MARKS = "marks the file as damaged, refuses downloads and notifies its owner"


class FilesCheck:
    """Files whose object is missing or damaged, and damaged files that are whole again.

    With ``reads``, every byte is read and compared with the file's checksum. ``advance`` is called with the number of
    bytes checked. At most ``concurrency`` objects are checked at a time.
    """

    def __init__(
        self,
        database: Database,
        store: ObjectStore,
        *,
        reads: bool = True,
        concurrency: int = 4,
        advance: Callable[[int], object] = lambda _: None,
    ) -> None:
        self._database = database
        self._store = store
        self._reads = reads
        self._slots = asyncio.Semaphore(concurrency)
        self._advance = advance

    async def suspects(self) -> AsyncIterator[StoredFile]:
        """Yield files whose damage mark does not match the state of their bytes."""
        after = ""
        while True:
            async with self._database.reading() as tx:
                page = await integrity.stored_files(tx, after, _PAGE)
            if not page:
                return
            after = page[-1].id
            suspicions = await asyncio.gather(*(self._is_suspicious(file) for file in page))
            for file, suspicious in zip(page, suspicions, strict=True):
                if suspicious:
                    yield file

    async def confirm(self, suspect: StoredFile) -> Finding | None:
        """Implement ``Check``."""
        async with self._database.reading() as tx:
            file = (await integrity.stored_files_of(tx, [suspect.id])).get(suspect.id)
        if file is None or file.object_key != suspect.object_key:
            return None
        fault = await self._fault_of(file)
        if fault is not None:
            kind, reason = fault
            # Damage that is already marked is no new finding; the mark stays until the bytes are whole again.
            return None if file.damage else Finding(kind, Severity.ERROR, file.id, self._describe(file, reason), _MARKS)
        if file.damage and self._reads:
            found = self._describe(file, "is marked as damaged, but its bytes are whole")
            return Finding(
                "recovered-file", Severity.WARNING, file.id, found, "removes the mark and notifies its owner"
            )
        return None

    async def repair(self, suspect: StoredFile) -> str:
        """Implement ``Check``."""
        fault = await self._fault_of(suspect)
        async with self._database.transaction() as tx:
            if fault is not None:
                done = await integrity.mark_damaged(tx, suspect, fault[1])
                return "marked as damaged" if done else "nothing: the file is gone"
            done = await integrity.mark_recovered(tx, suspect)
            return "no longer marked as damaged" if done else "nothing: the file was not marked"

    async def _is_suspicious(self, file: StoredFile) -> bool:
        async with self._slots:
            fault = await self._fault_of(file, advance=self._advance)
        if file.damage:
            return fault is None and self._reads
        return fault is not None

    async def _fault_of(
        self, file: StoredFile, advance: Callable[[int], object] = lambda _: None
    ) -> tuple[str, str] | None:
        try:
            stored = await self._store.examine(file.object_key)
            if stored.size != file.size:
                return "wrong-size", f"there are {stored.size} bytes instead of {file.size}"
            if _differ(file.checksum, stored.checksum):
                return "wrong-checksum", f"the store's checksum is {stored.checksum} instead of {file.checksum}"
            return await self._fault_in_bytes(file, stored.checksum, advance) if self._reads else None
        except ObjectNotFoundError:
            return "missing-object", "the store has no such object"
        except DamagedObjectError as error:
            return "damaged-object", str(error)
        except StoreUnavailableError as error:
            # Either the store is unavailable, which ends the check, or it cannot read this object.
            await self._store.check()
            return "unreadable-object", str(error)

    async def _fault_in_bytes(
        self, file: StoredFile, stored_checksum: str | None, advance: Callable[[int], object]
    ) -> tuple[str, str] | None:
        known = [text for text in (file.checksum, stored_checksum) if text and can_compute(algorithm_of(text))]
        measured = await measure(
            self._store.read(file.object_key), {algorithm_of(text) for text in known}, advance=advance
        )
        if measured.size != file.size:
            return "wrong-size", f"there are {measured.size} bytes instead of {file.size}"
        for checksum in known:
            if not measured.agrees(checksum):
                return (
                    "wrong-checksum",
                    f"the checksum is not {checksum}",
                )
        return None

    def _describe(self, file: StoredFile, reason: str) -> str:
        return f"file {file.name!r} of user {file.owner_id}, object {file.object_key}: {reason}"


def _differ(checksum: str | None, other: str | None) -> bool:
    """Return whether both checksums are known, of the same algorithm and different."""
    return bool(checksum and other) and algorithm_of(checksum or "") == algorithm_of(other or "") and checksum != other
