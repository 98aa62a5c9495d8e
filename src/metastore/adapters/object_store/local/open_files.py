"""Objects open for reading, and those kept open because they are hot."""

import os
from collections import OrderedDict
from datetime import datetime
from pathlib import Path

from metastore.adapters.object_store.local.facts import ObjectFacts
from metastore.adapters.object_store.local.layout import DATA, OBJECT_FACTS
from metastore.adapters.object_store.local.threads import FileThreads
from metastore.ports.object_store import DamagedObjectError, ObjectNotFoundError

READ_NOW_LIMIT = 2**18
"""Longest read that the event loop does itself, when memory holds the bytes (25 µs a 256 KiB)."""
_scratch = memoryview(bytearray(READ_NOW_LIMIT))


class OpenFile:
    """An ``OpenObject``. Its file handle is closed when the last one who holds it lets go."""

    __slots__ = ("_handle", "_threads", "etag", "facts", "modified_at", "size")

    def __init__(self, folder: Path, threads: FileThreads) -> None:
        self._handle = -1
        try:
            self.facts = ObjectFacts.decode((folder / OBJECT_FACTS).read_bytes())
            self._handle = os.open(folder / DATA, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise ObjectNotFoundError(folder.name) from None
        self._threads = threads
        self.size = self.facts.size
        self.etag = self.facts.etag
        self.modified_at = datetime.fromisoformat(self.facts.modified_at)

    def __del__(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)

    def fileno(self) -> int:
        """The descriptor; see the port."""
        return self._handle

    def read_now(self, offset: int, length: int) -> bytes | None:
        """Bytes that memory holds; see the port. Only for the event loop's thread: the buffer is shared."""
        if length > READ_NOW_LIMIT:
            return None
        window = _scratch[:length]
        try:
            if os.preadv(self._handle, [window], offset, os.RWF_NOWAIT) == length:
                return bytes(window)
        except OSError:
            # EAGAIN: not in memory. EOPNOTSUPP: this file system cannot tell.
            return None
        return None

    async def read(self, offset: int, length: int) -> bytes:
        """Bytes from disk; see the port."""
        return await self._threads.call(self._read, offset, length)

    def _read(self, offset: int, length: int) -> bytes:
        content = os.pread(self._handle, length, offset)
        if len(content) == length:
            return content
        pieces = [content]
        missing = length - len(content)
        while missing:
            piece = os.pread(self._handle, missing, offset + length - missing)
            if not piece:
                raise DamagedObjectError(f"{self.facts.key} is shorter than its facts say")
            pieces.append(piece)
            missing -= len(piece)
        return b"".join(pieces)


class HotFiles:
    """The most recently used open objects, at most ``limit`` of them, by key."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._files: OrderedDict[str, OpenFile] = OrderedDict()
        self.deletions = 0
        """Counts ``forget``, so that one who opened an object meanwhile can tell that it may be gone."""

    def get(self, key: str) -> OpenFile | None:
        """The object, if it is among them."""
        file = self._files.get(key)
        if file is not None:
            self._files.move_to_end(key)
        return file

    def add(self, key: str, file: OpenFile) -> None:
        """Keep an object open."""
        self._files[key] = file
        if len(self._files) > self._limit:
            self._files.popitem(last=False)

    def forget(self, key: str) -> None:
        """Let go of a deleted object."""
        self._files.pop(key, None)
        self.deletions += 1

    def clear(self) -> None:
        """Let go of all."""
        self._files.clear()
