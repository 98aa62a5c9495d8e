"""State of one open upload: which parts it has, and which are being written where.

All decisions are made on the event loop, between two awaits; threads only carry them out. Part writers hold the lock
shared for each file operation. Complete and abort hold it exclusively, so that no bytes are written meanwhile and
exactly one of them closes the upload.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

from metastore.adapters.object_store.local.layout import Layout
from metastore.adapters.object_store.local.metadata import ObjectMetadata, describe_object
from metastore.adapters.object_store.local.part_log import PartRecord
from metastore.adapters.object_store.local.shared_exclusive_lock import SharedExclusiveLock
from metastore.adapters.object_store.local.shared_syncs import SharedSyncs
from metastore.adapters.object_store.local.thread_pools import StoreThreads
from metastore.adapters.object_store.local.upload_files import Completion, UploadFiles
from metastore.kit.clock import Clock
from metastore.ports.object_store import (
    CompletedPart,
    InvalidPartError,
    Part,
    StoreUnavailableError,
    UploadNotFoundError,
    UploadTarget,
)

_MAX_SIDE_WRITES = 8
"""Maximum number of side files of an upload that are being written at a time."""


class Upload:
    """An open multipart upload, shared by all requests for it in this process."""

    def __init__(
        self,
        files: UploadFiles,
        records: dict[int, tuple[int, PartRecord]],
        threads: StoreThreads,
        syncs: SharedSyncs,
        layout: Layout,
    ) -> None:
        self.files = files
        self.threads = threads.files
        self.receiving = threads.receiving
        self.syncs = syncs
        self._layout = layout
        self._records = records
        self._lock = SharedExclusiveLock()
        self._in_place: set[int] = set()
        self._side_writes = 0
        self._open = True

    def parts(self) -> list[Part]:
        """Return the received parts, by ascending number."""
        return [Part(record.number, record.etag, record.size) for _, (_, record) in sorted(self._records.items())]

    def access(self) -> AbstractAsyncContextManager[None]:
        """Hold the lock shared while changing files; call ``require_open`` inside."""
        return self._lock.shared()

    def require_open(self) -> None:
        """Check that the upload was neither completed nor aborted.

        Raises:
            UploadNotFoundError: it was.
        """
        if not self._open:
            raise UploadNotFoundError(self.files.metadata.key)

    def needs_side_file(self, number: int) -> bool:
        """Return whether the part's place is occupied, so that it must be written to a side file."""
        return number in self._records or number in self._in_place

    def reserve_side_file(self) -> None:
        """Reserve one of the limited number of concurrent side-file writes.

        Raises:
            StoreUnavailableError: all are in use. Each takes additional disk space.
        """
        if self._side_writes >= _MAX_SIDE_WRITES:
            raise StoreUnavailableError("too many concurrent uploads of the same parts")
        self._side_writes += 1

    def release_side_file(self) -> None:
        """Release the reservation of ``reserve_side_file``."""
        self._side_writes -= 1

    def reserve_in_place(self, number: int) -> bool:
        """Reserve the part's place in ``data``; return ``False`` if it is occupied.

        It is occupied by acknowledged bytes or by another writer.
        """
        if self.needs_side_file(number):
            return False
        self._in_place.add(number)
        return True

    def release_in_place(self, number: int) -> None:
        """Release the reservation of ``reserve_in_place``."""
        self._in_place.discard(number)

    async def add_record(self, record: PartRecord, slot: int) -> None:
        """Register a durable record. If there is another of that part, the later slot wins.

        The losing record's side file is removed.
        """
        current = self._records.get(record.number)
        if current is None or current[0] < slot:
            self._records[record.number] = (slot, record)
            superseded = current[1] if current else None
        else:
            superseded = record
        if superseded and superseded.side:
            await self.threads.call(self.files.side_path(superseded.side).unlink, missing_ok=True)

    async def complete(self, target: UploadTarget, parts: Sequence[CompletedPart], clock: Clock) -> ObjectMetadata:
        """Check the named parts against the records and turn the upload into the object.

        Raises:
            UploadNotFoundError, InvalidPartError: as in the port.
        """
        async with self._lock.exclusive():
            self.require_open()
            digests = self._check(target, parts)
            metadata = describe_object(self.files.metadata, digests, clock())
            records = [record for _, record in self._records.values()]
            if any(record.side for record in records):
                for slot, record in await self.threads.call(self.files.merge_side_files, records):
                    self._records[record.number] = (slot, record)
            await self.syncs.make(Completion(self.files, self._layout.object(metadata.key), metadata))
            self._open = False
            return metadata

    async def abort(self) -> None:
        """Delete the upload unless it was already completed or aborted."""
        async with self._lock.exclusive():
            if self._open:
                self._open = False
                await self.threads.call(self._layout.discard, self.files.folder)

    def _check(self, target: UploadTarget, parts: Sequence[CompletedPart]) -> list[bytes]:
        digests = []
        for index in range(max(target.part_count, len(parts))):
            number = index + 1
            if index >= len(parts) or parts[index].number != number:
                raise InvalidPartError(number, "is not named, or not in order")
            if number > target.part_count:
                raise InvalidPartError(number, "is beyond the last part")
            _, record = self._records.get(number, (0, None))
            if record is None:
                raise InvalidPartError(number, "was not received")
            if record.etag != parts[index].etag:
                raise InvalidPartError(number, "has another ETag")
            if record.size != target.part_length(number):
                raise InvalidPartError(number, "has another size")
            digests.append(record.digest)
        return digests
