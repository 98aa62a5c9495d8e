"""Checksums that describe themselves: ``algorithm:hex``, or ``algorithm-blocksize:hex``.

The second is the algorithm over the concatenated digests of consecutive blocks of ``blocksize`` bytes, which is what
stores get for free from parts.
"""

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from blake3 import blake3

_FORM = re.compile(r"(?P<algorithm>[a-z0-9]+)(?:-(?P<block>[1-9][0-9]*))?:(?P<hex>[0-9a-f]+)")
_CHUNK = 2**20


class Digest(Protocol):
    """A hash that bytes are fed to."""

    def update(self, data: bytes, /) -> object:
        """Take the next bytes."""
        ...

    def digest(self) -> bytes:
        """The hash of all that was taken."""
        ...


def _md5() -> Digest:
    return hashlib.md5(usedforsecurity=False)


_ALGORITHMS: dict[str, Callable[[], Digest]] = {"blake3": blake3, "md5": _md5, "sha256": hashlib.sha256}


def matches(path: Path, checksum: str | None) -> bool | None:
    """Whether the file's bytes have that checksum; ``None`` when there is none, or none that we can compute.

    Blocks: run it in a thread.
    """
    form = _FORM.fullmatch(checksum or "")
    if form is None or form["algorithm"] not in _ALGORITHMS:
        return None
    new = _ALGORITHMS[form["algorithm"]]
    handle = os.open(path, os.O_RDONLY)
    try:
        size = os.fstat(handle).st_size
        if not form["block"]:
            return digest_of(new, handle, 0, size).hex() == form["hex"]
        block = int(form["block"])
        total = new()
        for start in range(0, max(size, 1), block):
            total.update(digest_of(new, handle, start, min(block, size - start)))
        return total.digest().hex() == form["hex"]
    finally:
        os.close(handle)


def is_digest_of(etag: str, handle: int, offset: int, length: int) -> bool:
    """Whether ``etag`` is the BLAKE3 or MD5 digest of those bytes of an open file, as servers often make it. Blocks."""
    new = {64: blake3, 32: _md5}.get(len(etag))
    return new is not None and digest_of(new, handle, offset, length).hex() == etag.lower()


def digest_of(new: Callable[[], Digest], handle: int, offset: int, length: int) -> bytes:
    """The digest of ``length`` bytes of an open file from ``offset`` on."""
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
