"""Storing segments: a few at a time, with rows in order and bounded memory."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence

import pytest

from metastore.features.media.objects.keys import AHEAD, rendition_keys
from metastore.features.media.renditions.segment_storage import StoredSegment, Target, store_outputs
from metastore.kit.saga.claims import LeaseLostError
from metastore.ports.media_tools import MediaToolError
from metastore.ports.object_store import StoredObject, StoreFullError
from metastore.ports.transcoder import Ended, Output, Segment, Started
from tests.fixtures.memory_store import MemoryObjectStore
from tests.fixtures.waiting import eventually


class SlowStore(MemoryObjectStore):
    """A store whose puts take time, some longer than others."""

    def __init__(self) -> None:
        super().__init__()
        self.active = self.max_active = self.bytes = self.max_bytes = 0
        self.pause = 0.002

    async def put(self, key: str, chunks: AsyncIterator[bytes], *, size: int, content_type: str) -> StoredObject:
        """See the port."""
        self.active += 1
        self.bytes += size
        self.max_active, self.max_bytes = max(self.max_active, self.active), max(self.max_bytes, self.bytes)
        try:
            await asyncio.sleep(self.pause * (1 + size % 3))
            return await super().put(key, chunks, size=size, content_type=content_type)
        finally:
            self.active -= 1
            self.bytes -= size


class Rows:
    """A fake database whose transactions take ``pause`` seconds."""

    def __init__(self, store: MemoryObjectStore, pause: float = 0.0) -> None:
        self.store = store
        self.pause = pause
        self.recorded: list[StoredSegment | Ended] = []
        self.batches = 0
        self.ahead = 0
        self.error: Exception | None = None

    async def start(self, started: Started) -> Target:
        """Insert a rendition."""
        return Target("video", f"files/x/hls/{started.rendition}")

    async def record(self, outputs: Sequence[StoredSegment | Ended]) -> None:
        """Insert segments, whose objects must exist."""
        if self.error:
            raise self.error
        await asyncio.sleep(self.pause)
        for row in outputs:
            if isinstance(row, StoredSegment):
                assert f"files/x/hls/{row.rendition}/{row.number:06d}.m4s" in self.store.objects
        self.recorded += outputs
        self.batches += 1
        self.ahead = max(self.ahead, len(self.store.objects) - len(self.recorded))


async def outputs(
    count: int, size: int = 10, error: Exception | None = None, closed: list[bool] | None = None
) -> AsyncGenerator[Output, None]:
    try:
        yield Started("v", b"init", "avc1", 4)
        for number in range(count):
            yield Segment("v", number, number, 1, bytes(size + number % 3))
        if error:
            raise error
        yield Ended("v")
    finally:
        if closed is not None:
            closed.append(True)


@pytest.fixture
def store() -> SlowStore:
    return SlowStore()


async def test_at_most_four_segments_are_stored_at_once_and_recorded_in_order(store: SlowStore) -> None:
    rows = Rows(store)
    await store_outputs(store, outputs(50), rows.start, rows.record)
    assert 4 == store.max_active
    assert list(range(50)) == [row.number for row in rows.recorded if isinstance(row, StoredSegment)]
    assert isinstance(rows.recorded[-1], Ended)
    assert rows.batches < 10


async def test_the_first_segment_is_recorded_without_waiting_for_others(store: SlowStore) -> None:
    rows = Rows(store)
    proceed = asyncio.Event()

    async def one_then_wait() -> AsyncGenerator[Output, None]:
        yield Started("v", b"init", "avc1", 4)
        yield Segment("v", 0, 0, 1, b"first")
        await proceed.wait()

    storing = asyncio.create_task(store_outputs(store, one_then_wait(), rows.start, rows.record))
    await eventually(lambda: rows.recorded)
    proceed.set()
    await storing


async def test_objects_are_never_further_ahead_of_rows_than_a_cleanup_assumes(store: SlowStore) -> None:
    store.pause = 0
    rows = Rows(store, pause=0.05)
    await store_outputs(store, outputs(400), rows.start, rows.record)
    assert rows.ahead <= AHEAD
    assert {*store.objects} <= {*rendition_keys("files/x/hls/v", 400)}


async def test_large_segments_wait_until_others_are_stored(store: SlowStore) -> None:
    rows = Rows(store)
    await store_outputs(store, outputs(5, size=50 * 2**20), rows.start, rows.record)
    assert 100 * 2**20 <= store.max_bytes <= 128 * 2**20


async def test_segments_from_before_a_failure_are_kept(store: SlowStore) -> None:
    rows = Rows(store)
    closed: list[bool] = []
    with pytest.raises(MediaToolError):
        await store_outputs(store, outputs(30, error=MediaToolError("died"), closed=closed), rows.start, rows.record)
    assert (30, [True]) == (len(rows.recorded), closed)


@pytest.mark.parametrize("error", [LeaseLostError("taken over"), RuntimeError("database outage")])
async def test_everything_stops_if_rows_cannot_be_written(store: SlowStore, error: Exception) -> None:
    rows, closed = Rows(store), list[bool]()
    rows.error = error
    with pytest.raises(type(error)):
        await store_outputs(store, outputs(10_000, closed=closed), rows.start, rows.record)
    assert (0, [True]) == (store.active, closed)
    assert len(store.objects) <= AHEAD


async def test_everything_stops_if_the_store_is_full_and_every_row_has_its_object(store: SlowStore) -> None:
    rows, closed = Rows(store), list[bool]()

    async def then_full() -> AsyncGenerator[Output, None]:
        async for output in outputs(10_000, closed=closed):
            if isinstance(output, Segment) and output.number == 20:
                store.fail_next["put"] = StoreFullError("full")
            yield output

    with pytest.raises(StoreFullError):
        await store_outputs(store, then_full(), rows.start, rows.record)
    assert 0 == store.active
    assert {row.number for row in rows.recorded if isinstance(row, StoredSegment)} <= set(range(20))
