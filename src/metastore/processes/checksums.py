"""Compute self-describing checksums: ``algorithm:hex`` and ``algorithm-blocksize:hex``.

The second form is the algorithm over the concatenated digests of consecutive blocks of ``blocksize`` bytes (see
``StoredObject``). Several checksums are computed in one pass over the bytes, with constant memory use.
"""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Protocol

from blake3 import blake3

_NAME = re.compile(r"(?P<algorithm>[a-z0-9]+)(-(?P<block>[1-9][0-9]*))?")
_THREAD_THRESHOLD = 2**16
"""Chunks above this size are hashed in a thread, to keep the event loop responsive."""


class _Hash(Protocol):
    def update(self, data: bytes, /) -> object: ...

    def digest(self) -> bytes: ...


_ALGORITHMS: dict[str, Callable[[], _Hash]] = {
    "blake3": blake3,
    "md5": lambda: hashlib.md5(usedforsecurity=False),
    "sha256": hashlib.sha256,
}


def algorithm_of(checksum: str) -> str:
    """Return the algorithm of a checksum, with its block size if it has one."""
    return checksum.partition(":")[0]


def can_compute(name: str) -> bool:
    """Return whether this algorithm, with its block size if it has one, is supported."""
    match = _NAME.fullmatch(name)
    return match is not None and match["algorithm"] in _ALGORITHMS


class Checksum:
    """Computes one checksum incrementally.

    Raises:
        ValueError: the algorithm is not supported.
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
        """Return the checksum of all bytes added. Call it once, at the end."""
        if self._block:
            self._close_block()
        return f"{self._name}:{self._whole.digest().hex()}"

    def _close_block(self) -> None:
        self._whole.update(self._current.digest())
        self._current = self._new()
        self._filled = 0


class Measurement:
    """The size of a stream in bytes, and its checksums by algorithm."""

    def __init__(self, size: int, checksums: dict[str, str]) -> None:
        self.size = size
        self.checksums = checksums

    def agrees(self, checksum: str) -> bool:
        """Return whether the bytes have that checksum, whose algorithm must be among the computed ones."""
        return self.checksums[algorithm_of(checksum)] == checksum


async def measure(
    chunks: AsyncIterator[bytes], names: Iterable[str], *, advance: Callable[[int], object] = lambda _: None
) -> Measurement:
    """Read ``chunks`` to the end and compute checksums with the algorithms ``names``.

    ``advance`` is called with the size of each chunk.

    Raises:
        ValueError: an algorithm is not supported.
    """
    checksums = {name: Checksum(name) for name in names}
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        for checksum in checksums.values():
            if len(chunk) > _THREAD_THRESHOLD:
                await asyncio.to_thread(checksum.update, chunk)
            else:
                checksum.update(chunk)
        advance(len(chunk))
    return Measurement(size, {name: checksum.text() for name, checksum in checksums.items()})
