"""Computing checksums that describe themselves: ``algorithm:hex`` and ``algorithm-blocksize:hex``.

The second is the algorithm over the concatenated digests of consecutive blocks of ``blocksize`` bytes (see
``StoredObject``). Several are computed in one pass over the bytes, in constant memory.
"""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Protocol

from blake3 import blake3

_NAME = re.compile(r"(?P<algorithm>[a-z0-9]+)(-(?P<block>[1-9][0-9]*))?")
_IN_A_THREAD = 2**16
"""Hashing more bytes than that at once would hold up the event loop for too long."""


class _Hash(Protocol):
    def update(self, data: bytes, /) -> object: ...

    def digest(self) -> bytes: ...


_ALGORITHMS: dict[str, Callable[[], _Hash]] = {
    "blake3": blake3,
    "md5": lambda: hashlib.md5(usedforsecurity=False),
    "sha256": hashlib.sha256,
}


def name_of(checksum: str) -> str:
    """What comes before the hex digits."""
    return checksum.partition(":")[0]


def can_compute(name: str) -> bool:
    """Whether a checksum of that name can be computed here."""
    match = _NAME.fullmatch(name)
    return match is not None and match["algorithm"] in _ALGORITHMS


class Checksum:
    """One checksum in the making.

    Raises:
        ValueError: nobody here knows how to compute one of that name.
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
        """Take the next bytes."""
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
        """The checksum of all that was taken, with its name. Call it once, at the end."""
        if self._block:
            self._close_block()
        return f"{self._name}:{self._whole.digest().hex()}"

    def _close_block(self) -> None:
        self._whole.update(self._current.digest())
        self._current = self._new()
        self._filled = 0


class Measured:
    """How many bytes there were, and their checksums by name."""

    def __init__(self, size: int, checksums: dict[str, str]) -> None:
        self.size = size
        self.checksums = checksums

    def agrees(self, checksum: str) -> bool:
        """Whether the bytes have that checksum, which must be among those that were asked for."""
        return self.checksums[name_of(checksum)] == checksum


async def measure(
    chunks: AsyncIterator[bytes], names: Iterable[str], *, advance: Callable[[int], object] = lambda _: None
) -> Measured:
    """Read ``chunks`` to the end and compute the checksums of these names; ``advance`` is told of bytes as they pass.

    Raises:
        ValueError: one of the names is unknown.
    """
    checksums = {name: Checksum(name) for name in names}
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        for checksum in checksums.values():
            if len(chunk) > _IN_A_THREAD:
                await asyncio.to_thread(checksum.update, chunk)
            else:
                checksum.update(chunk)
        advance(len(chunk))
    return Measured(size, {name: checksum.text() for name, checksum in checksums.items()})
