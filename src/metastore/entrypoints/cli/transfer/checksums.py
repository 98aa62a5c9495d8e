"""Checksums with the name of their algorithm: ``algorithm:hex`` or ``algorithm-blocksize:hex``.

The second form is the digest of the concatenated digests of consecutive blocks of ``blocksize`` bytes, which object
stores compute from the parts of an upload.
"""

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from blake3 import blake3

_PATTERN = re.compile(r"(?P<algorithm>[a-z0-9]+)(?:-(?P<block>[1-9][0-9]*))?:(?P<hex>[0-9a-f]+)")
_CHUNK = 2**20


class Digest(Protocol):
    """A hash function."""

    def update(self, data: bytes, /) -> object:
        """Add bytes."""
        ...

    def digest(self) -> bytes:
        """Return the digest of all bytes."""
        ...


def _md5() -> Digest:
    return hashlib.md5(usedforsecurity=False)


_ALGORITHMS: dict[str, Callable[[], Digest]] = {"blake3": blake3, "md5": _md5, "sha256": hashlib.sha256}


def matches(path: Path, checksum: str | None) -> bool | None:
    """Return whether the file has that checksum; ``None`` if there is none, or its algorithm is not supported.

    Blocks; run it in a thread.
    """
    match = _PATTERN.fullmatch(checksum or "")
    if match is None or match["algorithm"] not in _ALGORITHMS:
        return None
    new = _ALGORITHMS[match["algorithm"]]
    handle = os.open(path, os.O_RDONLY)
    try:
        size = os.fstat(handle).st_size
        if not match["block"]:
            return digest_of(new, handle, 0, size).hex() == match["hex"]
        block = int(match["block"])
        total = new()
        for start in range(0, max(size, 1), block):
            total.update(digest_of(new, handle, start, min(block, size - start)))
        return total.digest().hex() == match["hex"]
    finally:
        os.close(handle)


def is_digest_of(etag: str, handle: int, offset: int, length: int) -> bool:
    """Return whether ``etag`` is the BLAKE3 or MD5 digest of those bytes of an open file. Blocks."""
    new = {64: blake3, 32: _md5}.get(len(etag))
    return new is not None and digest_of(new, handle, offset, length).hex() == etag.lower()


def digest_of(new: Callable[[], Digest], handle: int, offset: int, length: int) -> bytes:
    """Return the digest of ``length`` bytes of an open file from ``offset``."""
    digest = new()
    for chunk in _chunks(handle, offset, length):
        digest.update(chunk)
    return digest.digest()


def _chunks(handle: int, offset: int, length: int) -> Iterator[bytes]:
    end = offset + length
    while offset < end:
        chunk = os.pread(handle, min(_CHUNK, end - offset), offset)
        if not chunk:
            return
        yield chunk
        offset += len(chunk)
