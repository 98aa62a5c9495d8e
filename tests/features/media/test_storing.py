"""Segments go into the store a few at a time, and their rows follow in order; nothing piles up."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence

import pytest

from metastore.features.media.storing import AHEAD, Place, Stored, keys_of, store_all
from metastore.kit.saga_claims import LeaseLostError
from metastore.ports.media_tools import MediaToolError
from metastore.ports.object_store import StoredObject, StoreFullError
from metastore.ports.transcoder import Ended, Output, Segment, Started
from tests.fixtures.memory_store import MemoryObjectStore
from tests.fixtures.waiting import eventually


class SlowStore(MemoryObjectStore):
    """Takes its time, and longer over some than over others."""

    def __init__(self) -> None:
        super().__init__()
        self.at_once = self.most = self.bytes = self.most_bytes = 0
        self.pause = 0.002

    async def put(self, key: str, chunks: AsyncIterator[bytes], *, size: int, content_type: str) -> StoredObject:
        """See the port."""
        self.at_once += 1
        self.bytes += size
        self.most, self.most_bytes = max(self.most, self.at_once), max(self.most_bytes, self.bytes)
        try:
            await asyncio.sleep(self.pause * (1 + size % 3))
            return await super().put(key, chunks, size=size, content_type=content_type)
        finally:
            self.at_once -= 1
            self.bytes -= size


class Rows:
    """Stands for the database; ``pause`` seconds a transaction."""

    def __init__(self, store: MemoryObjectStore, pause: float = 0.0) -> None:
        self.store = store
        self.pause = pause
        self.written: list[Stored | Ended] = []
        self.batches = 0
        self.ahead = 0
        self.trouble: Exception | None = None

    async def begin(self, started: Started) -> Place:
        """A row for a rendition."""
        return Place("video", f"files/x/hls/{started.rendition}")

    async def write(self, made: Sequence[Stored | Ended]) -> None:
        """Rows for segments, whose objects must be there."""
        if self.trouble:
            raise self.trouble
        await asyncio.sleep(self.pause)
        for row in made:
            if isinstance(row, Stored):
                assert f"files/x/hls/{row.rendition}/{row.number:06d}.m4s" in self.store.objects
        self.written += made
        self.batches += 1
        self.ahead = max(self.ahead, len(self.store.objects) - len(self.written))


async def outputs(
    count: int, size: int = 10, trouble: Exception | None = None, closed: list[bool] | None = None
) -> AsyncGenerator[Output, None]:
    try:
        yield Started("v", b"init", "avc1", 4)
        for number in range(count):
            yield Segment("v", number, number, 1, bytes(size + number % 3))
        if trouble:
            raise trouble
        yield Ended("v")
    finally:
        if closed is not None:
            closed.append(True)


@pytest.fixture
def store() -> SlowStore:
    return SlowStore()


async def test_at_most_four_are_stored_at_once_and_rows_follow_in_order(store: SlowStore) -> None:
    rows = Rows(store)
    await store_all(store, outputs(50), rows.begin, rows.write)
    assert 4 == store.most
    assert list(range(50)) == [row.number for row in rows.written if isinstance(row, Stored)]
    assert isinstance(rows.written[-1], Ended)
    assert rows.batches < 10


async def test_the_first_row_does_not_wait_for_others(store: SlowStore) -> None:
    rows = Rows(store)
    go_on = asyncio.Event()

    async def one_then_nothing() -> AsyncGenerator[Output, None]:
        yield Started("v", b"init", "avc1", 4)
        yield Segment("v", 0, 0, 1, b"first")
        await go_on.wait()

    working = asyncio.create_task(store_all(store, one_then_nothing(), rows.begin, rows.write))
    await eventually(lambda: rows.written)
    go_on.set()
    await working


async def test_objects_are_never_further_ahead_of_rows_than_those_who_delete_believe(store: SlowStore) -> None:
    store.pause = 0
    rows = Rows(store, pause=0.05)
    await store_all(store, outputs(400), rows.begin, rows.write)
    assert rows.ahead <= AHEAD
    assert {*store.objects} <= {*keys_of("files/x/hls/v", 400)}


async def test_large_segments_wait_for_one_another(store: SlowStore) -> None:
    rows = Rows(store)
    await store_all(store, outputs(5, size=50 * 2**20), rows.begin, rows.write)
    assert 100 * 2**20 <= store.most_bytes <= 128 * 2**20


async def test_what_was_made_before_the_making_failed_is_kept(store: SlowStore) -> None:
    rows = Rows(store)
    closed: list[bool] = []
    with pytest.raises(MediaToolError):
        await store_all(store, outputs(30, trouble=MediaToolError("died"), closed=closed), rows.begin, rows.write)
    assert (30, [True]) == (len(rows.written), closed)


@pytest.mark.parametrize("trouble", [LeaseLostError("taken over"), RuntimeError("the database is away")])
async def test_when_rows_cannot_be_written_everything_stops(store: SlowStore, trouble: Exception) -> None:
    rows, closed = Rows(store), list[bool]()
    rows.trouble = trouble
    with pytest.raises(type(trouble)):
        await store_all(store, outputs(10_000, closed=closed), rows.begin, rows.write)
    assert (0, [True]) == (store.at_once, closed)
    assert len(store.objects) <= AHEAD


async def test_when_the_store_is_full_everything_stops_and_rows_are_true(store: SlowStore) -> None:
    rows, closed = Rows(store), list[bool]()

    async def then_full() -> AsyncGenerator[Output, None]:
        async for output in outputs(10_000, closed=closed):
            if isinstance(output, Segment) and output.number == 20:
                store.fail_next["put"] = StoreFullError("full")
            yield output

    with pytest.raises(StoreFullError):
        await store_all(store, then_full(), rows.begin, rows.write)
    assert 0 == store.at_once
    assert {row.number for row in rows.written if isinstance(row, Stored)} <= set(range(20))
