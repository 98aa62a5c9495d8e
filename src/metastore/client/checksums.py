"""Checksums in a self-describing notation: ``algorithm:hex`` or ``algorithm-blocksize:hex``.

The second form is the algorithm applied to the concatenated digests of consecutive blocks of ``blocksize`` bytes, which
object stores compute from parts. What precedes the colon is the checksum's *name*.
"""

import asyncio
import hashlib
import os
import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from pathlib import Path
from typing import Protocol

from blake3 import blake3

_NAME = re.compile(r"(?P<algorithm>[a-z0-9]+)(-(?P<block>[1-9][0-9]*))?")
_HEX = re.compile(r"[0-9a-f]+")
_CHUNK = 2**20
_HASH_IN_THREAD = 2**16
"""Chunks larger than this many bytes are hashed in a thread, because they would block the event loop."""


class Hash(Protocol):
    """A hash function in progress."""

    def update(self, data: bytes, /) -> object:
        """Hash the next bytes."""
        ...

    def digest(self) -> bytes:
        """Return the digest of all bytes so far."""
        ...


def _md5() -> Hash:
    return hashlib.md5(usedforsecurity=False)


_ALGORITHMS: dict[str, Callable[[], Hash]] = {"blake3": blake3, "md5": _md5, "sha256": hashlib.sha256}


def algorithm_of(checksum: str) -> str:
    """Return the name of a checksum."""
    return checksum.partition(":")[0]


def can_compute(name: str) -> bool:
    """Return whether checksums of this name are supported."""
    match = _NAME.fullmatch(name)
    return match is not None and match["algorithm"] in _ALGORITHMS


class Checksum:
    """Computes one checksum.

    Raises:
        ValueError: checksums of this name are not supported.
    """

    def __init__(self, name: str) -> None:
        match = _NAME.fullmatch(name)
        if match is None or match["algorithm"] not in _ALGORITHMS:
            raise ValueError(f"no such checksum: {name}")
        self._name = name
        self._new = _ALGORITHMS[match["algorithm"]]
        self._block = int(match["block"] or 0)
        self._whole = self._new()
        self._current = self._new()
        self._filled = 0

    def update(self, chunk: bytes) -> None:
        """Add the next bytes."""
        if not self._block:
            self._whole.update(chunk)
            return
        view = memoryview(chunk)
        while view:
            if self._filled == self._block:
                self._close_block()
            piece = view[: self._block - self._filled]
            self._current.update(bytes(piece))
            self._filled += len(piece)
            view = view[len(piece) :]

    def text(self) -> str:
        """Return the checksum of all bytes with its name. Call it once, at the end."""
        if self._block:
            self._close_block()
        return f"{self._name}:{self._whole.digest().hex()}"

    def _close_block(self) -> None:
        self._whole.update(self._current.digest())
        self._current = self._new()
        self._filled = 0


class Measurement:
    """The size of a stream in bytes, and its checksums by their names."""

    def __init__(self, size: int, checksums: dict[str, str]) -> None:
        self.size = size
        self.checksums = checksums

    def agrees(self, checksum: str) -> bool:
        """Return whether the bytes have this checksum. Its name must be one of those that were measured."""
        return self.checksums[algorithm_of(checksum)] == checksum


async def measure(
    chunks: AsyncIterator[bytes], names: Iterable[str], *, advance: Callable[[int], object] = lambda _: None
) -> Measurement:
    """Read ``chunks`` to the end and compute the checksums of these names in one pass and constant memory.

    ``advance`` is called with the number of bytes of each chunk.

    Raises:
        ValueError: one of the names is not supported.
    """
    checksums = {name: Checksum(name) for name in names}
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        for checksum in checksums.values():
            if len(chunk) > _HASH_IN_THREAD:
                await asyncio.to_thread(checksum.update, chunk)
            else:
                checksum.update(chunk)
        advance(len(chunk))
    return Measurement(size, {name: checksum.text() for name, checksum in checksums.items()})


def matches(path: Path, checksum: str | None) -> bool | None:
    """Return whether a file has this checksum, or ``None`` if there is none or it is not supported.

    Blocks; call it in a thread.
    """
    computed = _like(checksum)
    if computed is None:
        return None
    handle = os.open(path, os.O_RDONLY)
    try:
        for chunk in _chunks(handle, 0, os.fstat(handle).st_size):
            computed.update(chunk)
        return computed.text() == checksum
    finally:
        os.close(handle)


def matches_bytes(data: bytes, checksum: str | None) -> bool | None:
    """Return whether ``data`` has this checksum, or ``None`` if there is none or it is not supported."""
    computed = _like(checksum)
    if computed is None:
        return None
    computed.update(data)
    return computed.text() == checksum


def is_digest_of(etag: str, handle: int, offset: int, length: int) -> bool:
    """Return whether ``etag`` is the BLAKE3 or MD5 digest of a range of an open file. Blocks; call it in a thread."""
    new = {64: blake3, 32: _md5}.get(len(etag))
    if new is None:
        return False
    digest: Hash = new()
    for chunk in _chunks(handle, offset, length):
        digest.update(chunk)
    return digest.digest().hex() == etag.lower()


def _like(checksum: str | None) -> Checksum | None:
    """Return a new checksum of the same name, or ``None`` if there is none or it is not supported."""
    name, _, digest = (checksum or "").partition(":")
    return Checksum(name) if can_compute(name) and _HEX.fullmatch(digest) else None


def _chunks(handle: int, offset: int, length: int) -> Iterator[bytes]:
    end = offset + length
    while offset < end:
        chunk = os.pread(handle, min(_CHUNK, end - offset), offset)
        if not chunk:
            return
        yield chunk
        offset += len(chunk)
