"""Reads the source for the child: ahead, once it is seen to go on from one block to the next.

A store may be far away, where each reading takes a while however little is read.
"""

import asyncio
import contextlib
from dataclasses import dataclass

from metastore.ports.media_tools import Source

_LARGEST = 4 * 2**20
_SOON = 3
"""So many blocks in order are no coincidence."""


@dataclass(slots=True)
class _Window:
    start: int
    length: int
    data: asyncio.Task[bytes]

    def has(self, offset: int) -> bool:
        return self.start <= offset < self.start + self.length


class Reading:
    """Of one source, block by block; holds at most two windows of 4 MiB."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._here: _Window | None = None
        self._ahead: _Window | None = None
        self._expected = -1
        self._in_order = 0

    async def read(self, offset: int, length: int) -> bytes:
        """So many bytes from there, as far as there are."""
        length = min(length, self._source.size - offset)
        if length <= 0:
            return b""
        self._in_order = self._in_order + 1 if offset == self._expected else 0
        self._expected = offset + length
        window = await self._window(offset, length)
        if self._in_order >= _SOON and self._ahead is None:
            self._ahead = self._open(window.start + window.length, min(_LARGEST, 2 * max(window.length, length)))
        data = await window.data
        start = offset - window.start
        return data[start : start + length]

    async def close(self) -> None:
        """Nothing more is read."""
        for window in (self._here, self._ahead):
            await _drop(window)

    async def _window(self, offset: int, length: int) -> _Window:
        here, ahead = self._here, self._ahead
        if here is not None and here.has(offset) and here.has(offset + length - 1):
            return here
        await _drop(here)
        self._ahead = None
        if ahead is not None and ahead.has(offset) and ahead.has(offset + length - 1):
            self._here = ahead
            return ahead
        await _drop(ahead)
        opened = self._here = _Window(offset, length, asyncio.create_task(self._fetch(offset, length)))
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
        # What went wrong with bytes that nobody waits for is of no interest.
        await asyncio.wait([window.data])
        if not window.data.cancelled():
            window.data.exception()
