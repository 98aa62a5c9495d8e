"""Sequential reads are read ahead."""

import os
from collections.abc import AsyncIterator

import pytest

from metastore.adapters.sandbox.read_ahead import ReadAhead
from metastore.ports.media_tools import Source

_BLOCK = 256 * 1024
_CONTENT = os.urandom(10 * 2**20 + 77)


class RecordingSource:
    """A source that records the length of each read."""

    def __init__(self) -> None:
        self.read_lengths: list[int] = []
        self.fails_at = len(_CONTENT)

    def source(self) -> Source:
        return Source(self._read, len(_CONTENT), "video/mp4")

    async def _read(self, offset: int, length: int) -> AsyncIterator[bytes]:
        self.read_lengths.append(length)
        for at in range(offset, offset + length, 64 * 1024):
            if at >= self.fails_at:
                raise ConnectionResetError
            yield _CONTENT[at : min(at + 64 * 1024, offset + length)]


async def test_sequential_reads_become_few_large_reads() -> None:
    recording = RecordingSource()
    reader = ReadAhead(recording.source())
    blocks = [await reader.read(at, _BLOCK) for at in range(0, len(_CONTENT), _BLOCK)]
    await reader.close()
    assert b"".join(blocks) == _CONTENT
    assert len(recording.read_lengths) < 12
    assert max(recording.read_lengths) <= 4 * 2**20


async def test_random_reads_are_not_read_ahead() -> None:
    recording = RecordingSource()
    reader = ReadAhead(recording.source())
    for at in (0, 20 * _BLOCK, _BLOCK, 30 * _BLOCK, 2 * _BLOCK):
        assert _CONTENT[at : at + _BLOCK] == await reader.read(at, _BLOCK)
    await reader.close()
    assert [_BLOCK] * 5 == recording.read_lengths


async def test_seeking_back_after_reading_ahead_returns_the_right_bytes() -> None:
    reader = ReadAhead(RecordingSource().source())
    order = [*range(12), 3, 4, 5, 6, 7, 30, 31, 32, 33, 34, 0]
    for number in order:
        at = number * _BLOCK
        assert _CONTENT[at : at + _BLOCK] == await reader.read(at, _BLOCK)
    await reader.close()


async def test_reads_end_at_the_end_of_the_source() -> None:
    reader = ReadAhead(RecordingSource().source())
    assert b"" == await reader.read(len(_CONTENT), _BLOCK)
    assert _CONTENT[-77:] == await reader.read(len(_CONTENT) - 77, _BLOCK)
    await reader.close()


async def test_an_error_of_the_source_is_raised_where_it_is_read() -> None:
    recording = RecordingSource()
    recording.fails_at = 20 * _BLOCK
    reader = ReadAhead(recording.source())
    for number in range(12):
        await reader.read(number * _BLOCK, _BLOCK)
    with pytest.raises(ConnectionResetError):
        await reader.read(20 * _BLOCK, _BLOCK)
    await reader.close()
