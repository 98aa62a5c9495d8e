"""A readable, seekable file whose bytes the parent process provides."""

import errno
import io
import math
import os
import sys
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, BinaryIO

from metastore.adapters.sandbox import protocol

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer as Buffer

_BLOCK = 256 * 1024
_CACHED_BLOCKS = 64


class SourceFile(io.RawIOBase):
    """A file of ``size`` bytes that requests blocks on ``outgoing`` and receives them on ``incoming``.

    The 16 MiB that were used last are cached.

    Attributes:
        requested: Bytes requested so far.
        max_requested: Once ``requested`` exceeds this, reading fails with ``OSError``.
        deadline: A time on the monotonic clock after which reading fails with ``OSError``.
    """

    def __init__(self, incoming: BinaryIO, outgoing: BinaryIO, size: int) -> None:
        self.size = size
        self.requested = 0
        self.max_requested = sys.maxsize
        self.deadline = math.inf
        self._incoming = incoming
        self._outgoing = outgoing
        self._position = 0
        self._blocks: OrderedDict[int, bytes] = OrderedDict()

    def readable(self) -> bool:
        """Return ``True``."""
        return True

    def seekable(self) -> bool:
        """Return ``True``."""
        return True

    def tell(self) -> int:
        """Return the offset of the next read."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Set the offset of the next read and return it."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def read(self, size: int = -1) -> bytes:
        """Return the next ``size`` bytes, or fewer at the end."""
        end = self.size if size < 0 else min(self.size, self._position + size)
        pieces = []
        while self._position < end:
            number, start = divmod(self._position, _BLOCK)
            piece = self._block(number)[start : start + end - self._position]
            if not piece:
                break
            pieces.append(piece)
            self._position += len(piece)
        return b"".join(pieces)

    def readinto(self, buffer: "Buffer") -> int:
        """Read into ``buffer`` and return the number of bytes read."""
        view = memoryview(buffer).cast("B")
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    def _block(self, number: int) -> bytes:
        if number in self._blocks:
            self._blocks.move_to_end(number)
            return self._blocks[number]
        if self.requested > self.max_requested or time.monotonic() > self.deadline:
            raise OSError(errno.EIO, "the limit on reading is reached")
        self.requested += _BLOCK
        self._outgoing.write(protocol.READ + protocol.RANGE.pack(number * _BLOCK, _BLOCK))
        self._outgoing.flush()
        (length,) = protocol.LENGTH.unpack(self._receive(protocol.LENGTH.size))
        block = self._blocks[number] = self._receive(length)
        if len(self._blocks) > _CACHED_BLOCKS:
            self._blocks.popitem(last=False)
        return block

    def _receive(self, count: int) -> bytes:
        data = self._incoming.read(count)
        if len(data) < count:
            raise EOFError("the parent process closed the pipe")
        return data
