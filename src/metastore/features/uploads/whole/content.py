"""The bytes of a file that arrives whole."""

from collections.abc import AsyncIterator
from typing import Protocol

CHUNK = 256 * 1024


class Content(Protocol):
    """Bytes in memory or in a temporary file."""

    @property
    def size(self) -> int:
        """The number of bytes."""
        ...

    async def read(self, offset: int, length: int) -> bytes:
        """Return up to ``length`` bytes from ``offset``."""
        ...


async def chunks_of(content: Content) -> AsyncIterator[bytes]:
    """Yield all bytes, some at a time."""
    for offset in range(0, content.size, CHUNK):
        yield await content.read(offset, CHUNK)
