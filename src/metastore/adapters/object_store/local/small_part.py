"""Write a part that is whole in memory."""

import os
from collections.abc import Sequence

from blake3 import blake3

from metastore.adapters.object_store.local.durable_io import write_vector
from metastore.adapters.object_store.local.part_log import PartRecord
from metastore.adapters.object_store.local.upload_files import UploadFiles


class SmallPart:
    """The ``Change`` that writes a part in its place and then its record."""

    def __init__(self, files: UploadFiles, number: int, chunks: Sequence[bytes | memoryview]) -> None:
        self._files = files
        self._number = number
        self._chunks = chunks
        self._record: PartRecord | None = None
        self.slot = -1
        """Where the record is, once it is written."""

    @property
    def record(self) -> PartRecord:
        """The part's record, once the part is written."""
        assert self._record is not None  # noqa: S101  set by both ways to make the change
        return self._record

    def make_alone(self) -> None:
        """Implement ``Change``."""
        handle = self._write()
        try:
            self.slot = self._files.commit_part(self.record, handle)
        finally:
            os.close(handle)

    def prepare(self) -> None:
        """Implement ``Change``."""
        os.close(self._write())

    def publish(self) -> None:
        """Implement ``Change``: the record exists only for bytes that are on disk."""
        self.slot = self._files.append(self.record, synced=False)

    def finish(self) -> None:
        """Implement ``Change``."""

    def undo(self, *, published: bool) -> None:
        """Implement ``Change``."""
        if published:
            self._files.erase(self.slot)

    def _write(self) -> int:
        digest = blake3()
        for chunk in self._chunks:
            digest.update(chunk)
        size = sum(map(len, self._chunks))
        self._record = PartRecord(self._number, size, digest.digest(), None)
        handle, offset = self._files.open_part(self._number, None, size)
        try:
            write_vector(handle, self._chunks, offset)
        except BaseException:
            os.close(handle)
            raise
        return handle
