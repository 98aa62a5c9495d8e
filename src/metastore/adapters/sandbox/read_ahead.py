"""Read the source for the child, and ahead of the child once it reads sequentially.

A store may be remote, so that each read has a high latency regardless of its length.
"""

import asyncio
import contextlib
from dataclasses import dataclass

from metastore.ports.media_tools import Source

_MAX_WINDOW = 4 * 2**20
_SEQUENTIAL = 3
"""Consecutive blocks after which reading counts as sequential."""


@dataclass(slots=True)
class _Window:
    start: int
    length: int
    data: asyncio.Task[bytes]

    def has(self, offset: int) -> bool:
        return self.start <= offset < self.start + self.length


class ReadAhead:
    """Reads a source block by block. Holds at most two windows of 4 MiB."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._current: _Window | None = None
        self._ahead: _Window | None = None
        self._expected = -1
        self._in_order = 0

    async def read(self, offset: int, length: int) -> bytes:
        """Return ``length`` bytes from ``offset``, or fewer at the end of the source."""
        length = min(length, self._source.size - offset)
        if length <= 0:
            return b""
        self._in_order = self._in_order + 1 if offset == self._expected else 0
        self._expected = offset + length
        window = await self._window(offset, length)
        if self._in_order >= _SEQUENTIAL and self._ahead is None:
            self._ahead = self._open(window.start + window.length, min(_MAX_WINDOW, 2 * max(window.length, length)))
        data = await window.data
        start = offset - window.start
        return data[start : start + length]

    async def close(self) -> None:
        """Cancel the reads in progress."""
        for window in (self._current, self._ahead):
            await _drop(window)

    async def _window(self, offset: int, length: int) -> _Window:
        current, ahead = self._current, self._ahead
        if current is not None and current.has(offset) and current.has(offset + length - 1):
            return current
        await _drop(current)
        self._ahead = None
        if ahead is not None and ahead.has(offset) and ahead.has(offset + length - 1):
            self._current = ahead
            return ahead
        await _drop(ahead)
        opened = self._current = _Window(offset, length, asyncio.create_task(self._fetch(offset, length)))
        return opened

    def _open(self, offset: int, length: int) -> _Window | None:
        length = min(length, self._source.size - offset)
        return _Window(offset, length, asyncio.create_task(self._fetch(offset, length))) if length > 0 else None

    async def _fetch(self, offset: int, length: int) -> bytes:
        async with contextlib.aclosing(self._source.read(offset, length)) as chunks:  # type: ignore[type-var]  # stores' readers are generators
            return b"".join([chunk async for chunk in chunks])


async def _drop(window: _Window | None) -> None:
    if window is not None:
        window.data.cancel()
        # Nobody waits for these bytes, so an error in reading them does not matter.
        await asyncio.wait([window.data])
        if not window.data.cancelled():
            window.data.exception()
