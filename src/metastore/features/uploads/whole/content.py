"""The bytes of a file that arrives whole."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Sequence
from typing import Protocol

CHUNK = 256 * 1024
_AT_ONCE = 256 * 1024
"""Bytes whose CRC-32 takes less time than a thread would; about 0.1 ms."""


class Content(Protocol):
    """Bytes in memory or in a temporary file."""

    @property
    def size(self) -> int:
        """The number of bytes."""
        ...

    async def read(self, offset: int, length: int) -> bytes:
        """Return up to ``length`` bytes from ``offset``."""
        ...


class CheckedContent:
    """Content that computes its CRC-32 while it is read once, from its beginning to its end."""

    def __init__(self, content: Content) -> None:
        self._content = content
        self.size = content.size
        self.crc32 = 0

    async def read(self, offset: int, length: int) -> bytes:
        """Return up to ``length`` bytes from ``offset``."""
        chunk = await self._content.read(offset, length)
        self.crc32 = zlib.crc32(chunk, self.crc32)
        return chunk


async def crcs_of(contents: Sequence[bytes]) -> list[int]:
    """Return the CRC-32 of each of ``contents``."""
    if sum(map(len, contents)) <= _AT_ONCE:
        return [zlib.crc32(content) for content in contents]
    return await asyncio.to_thread(lambda: [zlib.crc32(content) for content in contents])


async def chunks_of(content: Content) -> AsyncIterator[bytes]:
    """Yield all bytes, some at a time."""
    for offset in range(0, content.size, CHUNK):
        yield await content.read(offset, CHUNK)
