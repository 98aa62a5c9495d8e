"""Writing around the page cache (``O_DIRECT``), which saves a copy of every byte and the management of its pages.

The disk reads from the caller's buffer, which must be aligned, as must offset and length. Like any other write, it is
durable once the file is synced.
"""

import errno
import fcntl
import mmap
import os

from metastore.adapters.object_store.local.durable_io import write_all

_ALIGNMENT = mmap.PAGESIZE
_O_DIRECT = getattr(os, "O_DIRECT", 0)
_KEPT = 8


class AlignedBuffers:
    """Buffers of ``size`` bytes for direct writes. A few released ones are kept, since new memory is slow."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: list[memoryview] = []

    def take(self) -> memoryview:
        """Return a buffer with any content. It is aligned."""
        try:
            return self._kept.pop()
        except IndexError:
            # Shared memory: a fork during a direct write does not copy it, as open(2) demands.
            return memoryview(mmap.mmap(-1, self._size, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS))

    def release(self, buffer: memoryview) -> None:
        """Let others use a buffer that was returned by ``take``."""
        if len(self._kept) < _KEPT:
            self._kept.append(buffer)


def write_direct(handle: int, content: memoryview, offset: int) -> bool:
    """Write the start of an aligned buffer around the page cache. Return whether that was possible.

    If it was not, because of the offset, the length or the file system, nothing or a part of it was written. No other
    thread may use ``handle`` meanwhile.
    """
    if not _O_DIRECT or (offset | len(content)) % _ALIGNMENT:
        return False
    try:
        fcntl.fcntl(handle, fcntl.F_SETFL, _O_DIRECT)
        try:
            write_all(handle, content, offset)
        finally:
            fcntl.fcntl(handle, fcntl.F_SETFL, 0)
    except OSError as error:
        if error.errno in (errno.EINVAL, errno.EOPNOTSUPP):
            return False
        raise
    return True
