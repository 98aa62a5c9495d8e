"""One open upload: who may write where, and who wins.

All decisions are made on the event loop, between two awaits; threads only carry them out. Parts being written share
the turnstile for each step on disk; complete and abort pass it alone, so that no byte is written while they work and
exactly one of them closes the upload.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

from metastore.adapters.object_store.local.facts import ObjectFacts, describe_object
from metastore.adapters.object_store.local.layout import Layout
from metastore.adapters.object_store.local.records import PartRecord
from metastore.adapters.object_store.local.threads import StoreThreads
from metastore.adapters.object_store.local.turnstile import Turnstile
from metastore.adapters.object_store.local.upload_files import UploadFiles
from metastore.kit.clock import Clock
from metastore.ports.object_store import (
    CompletedPart,
    InvalidPartError,
    Part,
    StoreUnavailableError,
    UploadNotFoundError,
    UploadTarget,
)

_MOST_BESIDE = 8
"""Parts of an upload that may be written at a time beside others of the same number."""


class Upload:
    """See the module."""

    def __init__(
        self,
        files: UploadFiles,
        records: dict[int, tuple[int, PartRecord]],
        threads: StoreThreads,
        layout: Layout,
    ) -> None:
        self.files = files
        self.threads = threads.files
        self.receiving = threads.receiving
        self._layout = layout
        self._records = records
        self._turnstile = Turnstile()
        self._in_place: set[int] = set()
        self._beside = 0
        self._open = True

    def parts(self) -> list[Part]:
        """The parts received, by ascending number."""
        return [Part(record.number, record.etag, record.size) for _, (_, record) in sorted(self._records.items())]

    def step(self) -> AbstractAsyncContextManager[None]:
        """The turn to change files; call ``require_open`` inside."""
        return self._turnstile.among_others()

    def require_open(self) -> None:
        """Refuse what comes after complete or abort.

        Raises:
            UploadNotFoundError: the upload is not open.
        """
        if not self._open:
            raise UploadNotFoundError(self.files.facts.key)

    def needs_side(self, number: int) -> bool:
        """Whether a part would have to be written beside the one that is there."""
        return number in self._records or number in self._in_place

    def take_side(self) -> None:
        """Begin to write a part beside one that is there.

        Raises:
            StoreUnavailableError: too many are being written; each takes room of its own.
        """
        if self._beside >= _MOST_BESIDE:
            raise StoreUnavailableError("the same parts are being sent too often at once")
        self._beside += 1

    def leave_side(self) -> None:
        """Give back what ``take_side`` gave."""
        self._beside -= 1

    def take_place(self, number: int) -> bool:
        """Whether a part may be written in place: nobody does so now, and no acknowledged bytes are there."""
        if self.needs_side(number):
            return False
        self._in_place.add(number)
        return True

    def leave_place(self, number: int) -> None:
        """Give back what ``take_place`` gave."""
        self._in_place.discard(number)

    async def keep(self, record: PartRecord, slot: int) -> None:
        """Let a durable record hold, unless one in a later slot does; the side file of the other is removed."""
        held = self._records.get(record.number)
        if held is None or held[0] < slot:
            self._records[record.number] = (slot, record)
            superseded = held[1] if held else None
        else:
            superseded = record
        if superseded and superseded.side:
            await self.threads.call(self.files.side_path(superseded.side).unlink, missing_ok=True)

    async def complete(self, target: UploadTarget, parts: Sequence[CompletedPart], clock: Clock) -> ObjectFacts:
        """Check what the client names, and become the object."""
        async with self._turnstile.alone():
            self.require_open()
            digests = self._check(target, parts)
            facts = describe_object(self.files.facts, digests, clock())
            held = [record for _, record in self._records.values()]
            for slot, record in await self.threads.call(self.files.settle, held):
                self._records[record.number] = (slot, record)
            await self.threads.call(self.files.become, self._layout.object(facts.key), facts)
            self._open = False
            return facts

    async def abort(self) -> None:
        """Free everything, unless it was completed or aborted."""
        async with self._turnstile.alone():
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
            held = self._records.get(number)
            if held is None:
                raise InvalidPartError(number, "was not received")
            if held[1].etag != parts[index].etag:
                raise InvalidPartError(number, "has another ETag")
            if held[1].size != target.part_length(number):
                raise InvalidPartError(number, "has another size")
            digests.append(held[1].digest)
        return digests
