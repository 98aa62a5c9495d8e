"""Objects that are open for reading, and a cache of the most recently used ones."""

import os
from collections import OrderedDict
from datetime import datetime
from pathlib import Path

from metastore.adapters.object_store.local.layout import DATA, OBJECT_METADATA
from metastore.adapters.object_store.local.metadata import ObjectMetadata
from metastore.adapters.object_store.local.thread_pools import FileThreads
from metastore.ports.object_store import DamagedObjectError, ObjectNotFoundError

READ_NOW_LIMIT = 2**18
"""Maximum size of a read on the event loop; a page-cache hit takes about 25 µs for 256 KiB."""
_scratch = memoryview(bytearray(READ_NOW_LIMIT))


class OpenFile:
    """``OpenObject`` of the embedded store. The file is closed when the last reference to it is dropped."""

    __slots__ = ("_handle", "_threads", "etag", "metadata", "modified_at", "size")

    def __init__(self, folder: Path, threads: FileThreads) -> None:
        self._handle = -1
        try:
            self.metadata = ObjectMetadata.decode((folder / OBJECT_METADATA).read_bytes())
            self._handle = os.open(folder / DATA, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise ObjectNotFoundError(folder.name) from None
        self._threads = threads
        self.size = self.metadata.size
        self.etag = self.metadata.etag
        self.modified_at = datetime.fromisoformat(self.metadata.modified_at)

    def __del__(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)

    def fileno(self) -> int:
        """Implement ``OpenObject.fileno``."""
        return self._handle

    def read_now(self, offset: int, length: int) -> bytes | None:
        """Implement ``OpenObject.read_now``. Call it on the event loop only: the buffer is shared."""
        if length > READ_NOW_LIMIT:
            return None
        window = _scratch[:length]
        try:
            if os.preadv(self._handle, [window], offset, os.RWF_NOWAIT) == length:
                return bytes(window)
        except OSError:
            # EAGAIN: not in the page cache. EOPNOTSUPP: not supported by the file system.
            return None
        return None

    async def read(self, offset: int, length: int) -> bytes:
        """Implement ``OpenObject.read`` in a thread."""
        return await self._threads.call(self._read, offset, length)

    def content(self) -> bytes:
        """Return all bytes. Blocks, so call it in a thread.

        Raises:
            DamagedObjectError: bytes are missing.
        """
        return self._read(0, self.size)

    def _read(self, offset: int, length: int) -> bytes:
        content = os.pread(self._handle, length, offset)
        if len(content) == length:
            return content
        pieces = [content]
        missing = length - len(content)
        while missing:
            piece = os.pread(self._handle, missing, offset + length - missing)
            if not piece:
                raise DamagedObjectError(f"{self.metadata.key} is shorter than its metadata says")
            pieces.append(piece)
            missing -= len(piece)
        return b"".join(pieces)


class OpenFileCache:
    """The most recently used open objects by key, at most ``limit`` of them."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._files: OrderedDict[str, OpenFile] = OrderedDict()
        self.deletions = 0
        """Number of ``evict`` calls. If it changed while an object was being opened, the object may be deleted."""

    def get(self, key: str) -> OpenFile | None:
        """Return the object if it is cached."""
        file = self._files.get(key)
        if file is not None:
            self._files.move_to_end(key)
        return file

    def add(self, key: str, file: OpenFile) -> None:
        """Add an object, dropping the least recently used one if the cache is full."""
        self._files[key] = file
        if len(self._files) > self._limit:
            self._files.popitem(last=False)

    def evict(self, key: str) -> None:
        """Drop a deleted object."""
        self._files.pop(key, None)
        self.deletions += 1

    def clear(self) -> None:
        """Drop all objects."""
        self._files.clear()
