"""Limits that tasks enforce before and while they decode."""

import io
import os
import time
from typing import TYPE_CHECKING

from metastore.adapters.sandbox.errors import RefusedError
from metastore.adapters.sandbox.source_file import SourceFile
from metastore.kit.problems.reason_codes import ReasonCode

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer as Buffer

MAX_PIXELS = 200_000_000
_MAX_DECODED = 1200 * 2**20
"""Bytes that an image may occupy when it has to be decoded as a whole. The memory limit leaves room for it."""


def check_pixels(width: int, height: int) -> None:
    """Refuse an image with too many pixels."""
    if width * height > MAX_PIXELS:
        raise RefusedError(ReasonCode.PICTURE_TOO_MANY_PIXELS)


def check_decoded(size: int) -> None:
    """Refuse an image that would take ``size`` bytes of memory, if that is too much."""
    if size > _MAX_DECODED:
        raise RefusedError(ReasonCode.PICTURE_TOO_LARGE)


class TruncatedFile(io.RawIOBase):
    """A file object over the first ``size`` bytes of a source."""

    def __init__(self, source: SourceFile, size: int) -> None:
        self.size = min(size, source.size)
        self._source = source

    def readable(self) -> bool:
        """Return ``True``."""
        return True

    def seekable(self) -> bool:
        """Return ``True``."""
        return True

    def tell(self) -> int:
        """Return the current position."""
        return self._source.tell()

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Change the position."""
        if whence == os.SEEK_END:
            return self._source.seek(self.size + offset)
        return self._source.seek(offset, whence)

    def readinto(self, buffer: "Buffer") -> int:
        """Read into ``buffer``; return the number of bytes."""
        return self._source.readinto(memoryview(buffer).cast("B")[: max(0, self.size - self._source.tell())])

    def read(self, size: int = -1) -> bytes:
        """Read up to ``size`` bytes."""
        left = max(0, self.size - self._source.tell())
        return self._source.read(left if size < 0 else min(size, left))


class Budget:
    """A budget of seconds and bytes. When it is exhausted, a task returns the best result that it has so far."""

    def __init__(self, source: SourceFile, seconds: float, size: int) -> None:
        source.max_requested = source.requested + size
        self._source = source
        self._deadline = time.monotonic() + seconds
        # A read that is under way when the time is up may still finish.
        source.deadline = self._deadline + seconds / 2

    def is_exhausted(self) -> bool:
        """Return whether the time is up or the bytes are used up."""
        return time.monotonic() > self._deadline or self._source.requested > self._source.max_requested
