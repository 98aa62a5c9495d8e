"""Small file operations that are on disk when they return."""

import ctypes
import os
from collections.abc import Sequence
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Make names that were added to, removed from or renamed in ``folder`` durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_file(path: Path, content: bytes) -> None:
    """Make ``path`` hold ``content``, whole or not at all. Its name is durable once the folder is synced."""
    fresh = path.with_name(path.name + ".new")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        write_all(handle, content, 0)
        os.fdatasync(handle)
    finally:
        os.close(handle)
    fresh.rename(path)


def write_all(handle: int, content: bytes, offset: int) -> None:
    """Write all of ``content`` at ``offset``."""
    view = memoryview(content)
    while view:
        written = os.pwrite(handle, view, offset)
        view, offset = view[written:], offset + written


def write_vector(handle: int, chunks: Sequence[bytes | memoryview], offset: int) -> None:
    """Write ``chunks``, one after the other, at ``offset``, with as few system calls as the system allows."""
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
    """Have the system begin to write that range to disk, so that a later sync has less to wait for.

    Promises nothing, and does nothing where the system has no ``sync_file_range(2)``.
    """
    if _sync_file_range is not None:
        _sync_file_range(handle, offset, length, _SYNC_FILE_RANGE_WRITE)


_SYNC_FILE_RANGE_WRITE = 2
_sync_file_range = getattr(ctypes.CDLL(None), "sync_file_range", None)
if _sync_file_range is not None:
    _sync_file_range.argtypes = (ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)
