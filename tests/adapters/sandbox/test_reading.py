"""What is read in order is read ahead."""

import os
from collections.abc import AsyncIterator

import pytest

from metastore.adapters.sandbox.reading import Reading
from metastore.ports.media_tools import Source

_BLOCK = 256 * 1024
_CONTENT = os.urandom(10 * 2**20 + 77)


class Shelf:
    """A source that remembers what was read of it."""

    def __init__(self) -> None:
        self.read_lengths: list[int] = []
        self.breaks_at = len(_CONTENT)

    def source(self) -> Source:
        return Source(self._read, len(_CONTENT), "video/mp4")

    async def _read(self, offset: int, length: int) -> AsyncIterator[bytes]:
        self.read_lengths.append(length)
        for at in range(offset, offset + length, 64 * 1024):
            if at >= self.breaks_at:
                raise ConnectionResetError
            yield _CONTENT[at : min(at + 64 * 1024, offset + length)]


async def test_a_source_that_is_read_in_order_comes_in_few_and_large_readings() -> None:
    shelf = Shelf()
    reading = Reading(shelf.source())
    blocks = [await reading.read(at, _BLOCK) for at in range(0, len(_CONTENT), _BLOCK)]
    await reading.close()
    assert b"".join(blocks) == _CONTENT
    assert len(shelf.read_lengths) < 12
    assert max(shelf.read_lengths) <= 4 * 2**20


async def test_a_source_that_is_read_here_and_there_is_not_read_ahead() -> None:
    shelf = Shelf()
    reading = Reading(shelf.source())
    for at in (0, 20 * _BLOCK, _BLOCK, 30 * _BLOCK, 2 * _BLOCK):
        assert _CONTENT[at : at + _BLOCK] == await reading.read(at, _BLOCK)
    await reading.close()
    assert [_BLOCK] * 5 == shelf.read_lengths


async def test_going_back_after_reading_ahead_gives_what_is_there() -> None:
    reading = Reading(Shelf().source())
    order = [*range(12), 3, 4, 5, 6, 7, 30, 31, 32, 33, 34, 0]
    for number in order:
        at = number * _BLOCK
        assert _CONTENT[at : at + _BLOCK] == await reading.read(at, _BLOCK)
    await reading.close()


async def test_there_is_nothing_past_the_end() -> None:
    reading = Reading(Shelf().source())
    assert b"" == await reading.read(len(_CONTENT), _BLOCK)
    assert _CONTENT[-77:] == await reading.read(len(_CONTENT) - 77, _BLOCK)
    await reading.close()


async def test_a_reading_that_breaks_is_told_to_whom_it_matters() -> None:
    shelf = Shelf()
    shelf.breaks_at = 20 * _BLOCK
    reading = Reading(shelf.source())
    for number in range(12):
        await reading.read(number * _BLOCK, _BLOCK)
    with pytest.raises(ConnectionResetError):
        await reading.read(20 * _BLOCK, _BLOCK)
    await reading.close()
