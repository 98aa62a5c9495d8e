"""File operations whose effects are on disk when they return."""

import ctypes
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Sync the directory, so that entries added, removed or renamed in it are durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_file(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path`` atomically. The name is durable once the folder is synced."""
    temporary = path.with_name(path.name + ".new")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        write_all(handle, content, 0)
        os.fdatasync(handle)
    finally:
        os.close(handle)
    temporary.rename(path)


def write_unsynced(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path``, not durably."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        write_all(handle, content, 0)
    finally:
        os.close(handle)


def write_all(handle: int, content: bytes | memoryview, offset: int) -> None:
    """Write all of ``content`` at ``offset``, however many system calls that takes."""
    view = memoryview(content)
    while view:
        written = os.pwrite(handle, view, offset)
        view, offset = view[written:], offset + written


def write_vector(handle: int, chunks: Sequence[bytes | memoryview], offset: int) -> None:
    """Write ``chunks`` one after another at ``offset``, with as few system calls as possible."""
    for start in range(0, len(chunks), _VECTOR_LIMIT):
        vector = chunks[start : start + _VECTOR_LIMIT]
        length = sum(map(len, vector))
        written = os.pwritev(handle, vector, offset)
        if written < length:
            write_all(handle, b"".join(vector)[written:], offset + written)
        offset += length


_VECTOR_LIMIT = 1024
"""IOV_MAX on Linux."""


def begin_writeback(handle: int, offset: int, length: int) -> None:
    """Ask the kernel to start writing that range to disk, so that a later sync takes less time.

    This guarantees nothing, and does nothing on systems without ``sync_file_range(2)``.
    """
    if _sync_file_range is not None:
        _sync_file_range(handle, offset, length, _SYNC_FILE_RANGE_WRITE)


_SYNC_FILE_RANGE_WRITE = 2
_libc = ctypes.CDLL(None, use_errno=True)
_sync_file_range = getattr(_libc, "sync_file_range", None)
if _sync_file_range is not None:
    _sync_file_range.argtypes = (ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)


@contextmanager
def file_system_sync(folder: Path) -> Iterator[Callable[[], None]]:
    """Yield a function that syncs everything on the file system of ``folder``, to be called inside the block.

    Where ``syncfs(2)`` is missing, it syncs all file systems. It raises ``OSError`` when something could not be written
    since the block was entered. Linux reports this since version 5.8.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)

    def sync() -> None:
        if _syncfs is None:
            os.sync()
        elif _syncfs(handle) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(folder))

    try:
        yield sync
    finally:
        os.close(handle)


_syncfs = getattr(_libc, "syncfs", None)
if _syncfs is not None:
    _syncfs.argtypes = (ctypes.c_int,)
