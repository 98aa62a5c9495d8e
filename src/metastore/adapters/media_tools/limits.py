"""How much is too much, of what is known before decoding."""

import io
import os
import time
from typing import TYPE_CHECKING

from metastore.adapters.sandbox.refusal import RefusedError
from metastore.adapters.sandbox.source_bytes import ParentBytes
from metastore.kit.reason_codes import ReasonCode

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer as Buffer

MAX_PIXELS = 200_000_000
_MAX_DECODED = 1200 * 2**20
"""Bytes of what has to be in memory whole; the limit of the process leaves room for it."""


def check_pixels(width: int, height: int) -> None:
    """Refuse a picture with too many of them."""
    if width * height > MAX_PIXELS:
        raise RefusedError(ReasonCode.PICTURE_TOO_MANY_PIXELS)


def check_decoded(size: int) -> None:
    """Refuse a picture that would take so many bytes."""
    if size > _MAX_DECODED:
        raise RefusedError(ReasonCode.PICTURE_TOO_LARGE)


class Beginning(io.RawIOBase):
    """The first ``size`` bytes of a file, as if they were all."""

    def __init__(self, whole: ParentBytes, size: int) -> None:
        self.size = min(size, whole.size)
        self._whole = whole

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """Where the next read begins."""
        return self._whole.tell()

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go there."""
        if whence == os.SEEK_END:
            return self._whole.seek(self.size + offset)
        return self._whole.seek(offset, whence)

    def readinto(self, buffer: "Buffer") -> int:
        """Fill as much of ``buffer`` as there is."""
        return self._whole.readinto(memoryview(buffer).cast("B")[: max(0, self.size - self._whole.tell())])

    def read(self, size: int = -1) -> bytes:
        """The next bytes, as many as there are."""
        left = max(0, self.size - self._whole.tell())
        return self._whole.read(left if size < 0 else min(size, left))


class Patience:
    """How long to go on, in seconds and in bytes that are asked for; then one makes do with what there is."""

    def __init__(self, source: ParentBytes, seconds: float, size: int) -> None:
        source.most = source.asked + size
        self._source = source
        self._until = time.monotonic() + seconds
        # What is being looked for when it is over may still be found.
        source.until = self._until + seconds / 2

    def is_over(self) -> bool:
        """Whether it is over."""
        return time.monotonic() > self._until or self._source.asked > self._source.most
