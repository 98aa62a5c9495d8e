"""Small file operations that are on disk when they return."""

import os
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


def write_vector(handle: int, chunks: list[bytes], offset: int) -> None:
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
