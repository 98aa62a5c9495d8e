"""A file to read and seek in, whose bytes the parent has."""

import errno
import io
import math
import os
import sys
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, BinaryIO

from metastore.adapters.sandbox import wire

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer as Buffer

_BLOCK = 256 * 1024
_KEPT = 64


class ParentBytes(io.RawIOBase):
    """``size`` bytes; asks in blocks on ``said``, hears on ``told``, and keeps the latest 16 MiB.

    It has ``asked`` for so many bytes; once they are more than ``most``, or it is later than ``until`` by the monotonic
    clock, reading fails with an ``OSError``.
    """

    def __init__(self, told: BinaryIO, said: BinaryIO, size: int) -> None:
        self.size = size
        self.asked = 0
        self.most = sys.maxsize
        self.until = math.inf
        self._told = told
        self._said = said
        self._at = 0
        self._blocks: OrderedDict[int, bytes] = OrderedDict()

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """Where the next read begins."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go there."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self.size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def read(self, size: int = -1) -> bytes:
        """The next bytes, as many as there are."""
        end = self.size if size < 0 else min(self.size, self._at + size)
        pieces = []
        while self._at < end:
            number, start = divmod(self._at, _BLOCK)
            piece = self._block(number)[start : start + end - self._at]
            if not piece:
                break
            pieces.append(piece)
            self._at += len(piece)
        return b"".join(pieces)

    def readinto(self, buffer: "Buffer") -> int:
        """Fill as much of ``buffer`` as there is."""
        view = memoryview(buffer).cast("B")
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    def _block(self, number: int) -> bytes:
        if number in self._blocks:
            self._blocks.move_to_end(number)
            return self._blocks[number]
        if self.asked > self.most or time.monotonic() > self.until:
            raise OSError(errno.EIO, "enough has been read")
        self.asked += _BLOCK
        self._said.write(wire.ASK + wire.QUESTION.pack(number * _BLOCK, _BLOCK))
        self._said.flush()
        (length,) = wire.LENGTH.unpack(self._exactly(wire.LENGTH.size))
        block = self._blocks[number] = self._exactly(length)
        if len(self._blocks) > _KEPT:
            self._blocks.popitem(last=False)
        return block

    def _exactly(self, count: int) -> bytes:
        heard = self._told.read(count)
        if len(heard) < count:
            raise EOFError("the parent is gone")
        return heard
