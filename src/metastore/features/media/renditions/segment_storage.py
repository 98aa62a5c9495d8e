"""Store a transcoder's segments concurrently and record their rows in order.

A few objects are stored at once while the transcoder produces the next ones. Rows are written in the order of the
segments, in batches, after the objects exist. Memory is bounded, and so is the number of objects without a row (see
``keys``): even if the process is killed in between, the rows determine which keys may have an object.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import takewhile

from metastore.features.media.objects.keys import AHEAD, init_key, segment_key
from metastore.features.media.objects.storage import put_object
from metastore.kit.saga.claims import LeaseLostError
from metastore.ports.object_store import ObjectStore
from metastore.ports.transcoder import Ended, Output, Segment, Started

_CONCURRENT_PUTS = 4
_MAX_BUFFERED = 128 * 2**20
_ROWS_INTERVAL = 0.3
"""Seconds between batches of rows; shorter when half of ``AHEAD`` are waiting."""
_STALL_TIMEOUT = 900.0
"""Seconds without output after which the transcoder is considered hung; it has shorter limits of its own."""
_CONTENT_TYPES = {"video": "video/mp4", "audio": "audio/mp4"}


@dataclass(slots=True)
class Target:
    """Where the objects of a rendition are stored.

    Segments below ``count``, and the init segment if ``has_init``, exist already. Segments below ``reached`` may
    exist.
    """

    kind: str
    key_prefix: str
    count: int = 0
    reached: int = 0
    has_init: bool = False


@dataclass(frozen=True, slots=True)
class StoredSegment:
    """A segment whose object is in the store; times in microseconds, size in bytes."""

    rendition: str
    number: int
    start_us: int
    duration_us: int
    size: int


Start = Callable[[Started], Awaitable[Target]]
"""Inserts or finds a rendition."""
Record = Callable[[Sequence[StoredSegment | Ended]], Awaitable[None]]
"""Writes the rows of stored segments and finished renditions."""


async def store_outputs(store: ObjectStore, outputs: AsyncIterator[Output], start: Start, record: Record) -> None:
    """Store everything that ``outputs`` yields and record it, including what it yielded before it failed.

    Raises:
        Exception: the first error of ``outputs``, the store, ``start`` or ``record``; ``LeaseLostError`` takes
            precedence.
    """
    pipeline = _Pipeline(store, start, record)
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(pipeline.record_rows())
            failure = await pipeline.consume(outputs, tasks)
    except ExceptionGroup as group:
        lost = (error for error in group.exceptions if isinstance(error, LeaseLostError))
        raise next(lost, group.exceptions[0]) from None
    finally:
        if isinstance(outputs, AsyncGenerator):
            await outputs.aclose()
    if failure is not None:
        raise failure


@dataclass(slots=True)
class _Item:
    row: StoredSegment | Ended | None
    put: "asyncio.Task[None] | None"

    @property
    def is_stored(self) -> bool:
        return self.put is None or (self.put.done() and not self.put.cancelled() and self.put.exception() is None)


class _Pipeline:
    def __init__(self, store: ObjectStore, start: Start, record: Record) -> None:
        self._store, self._start, self._record = store, start, record
        self._targets: dict[str, Target] = {}
        self._items: deque[_Item] = deque()
        self._active_puts = self._buffered = 0
        self._is_exhausted = False
        self._has_items, self._has_room, self._is_urgent = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def consume(self, outputs: AsyncIterator[Output], tasks: asyncio.TaskGroup) -> Exception | None:
        """Consume all outputs as fast as they can be stored; return the error that ended them early."""
        failure: Exception | None = None
        while True:
            try:
                async with asyncio.timeout(_STALL_TIMEOUT):
                    output = await anext(outputs, None)
            except Exception as error:  # noqa: BLE001  returned to the caller, after everything else is stored
                failure = error
                break
            if output is None:
                break
            if isinstance(output, Started):
                target = self._targets[output.rendition] = await self._start(output)
                if not target.has_init:
                    await self._put(tasks, None, target, init_key(target.key_prefix), output.init)
            elif isinstance(output, Segment):
                target = self._targets[output.rendition]
                if output.number >= target.count:
                    target.reached = max(target.reached, output.number + 1)
                    row = StoredSegment(
                        output.rendition, output.number, output.start_us, output.duration_us, len(output.data)
                    )
                    await self._put(tasks, row, target, segment_key(target.key_prefix, output.number), output.data)
            else:
                self._append(_Item(output, None))
        self._is_exhausted = True
        self._has_items.set()
        self._is_urgent.set()
        return failure

    async def record_rows(self) -> None:
        """Record rows until everything has been consumed and recorded."""
        while True:
            while not self._items:
                if self._is_exhausted:
                    return
                self._has_items.clear()
                await self._has_items.wait()
            if (put := self._items[0].put) is not None:
                await put
            batch = list(takewhile(lambda item: item.is_stored, self._items))
            if rows := [item.row for item in batch if item.row is not None]:
                await self._record(rows)
            for _ in batch:
                self._items.popleft()
            self._has_room.set()
            await self._pause()

    async def _pause(self) -> None:
        if not self._is_exhausted and len(self._items) < AHEAD // 2:
            self._is_urgent.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_ROWS_INTERVAL):
                    await self._is_urgent.wait()

    async def _put(
        self, tasks: asyncio.TaskGroup, row: StoredSegment | None, target: Target, key: str, data: bytes
    ) -> None:
        while (
            self._active_puts >= _CONCURRENT_PUTS
            or (self._buffered and self._buffered + len(data) > _MAX_BUFFERED)
            or len(self._items) >= AHEAD
        ):
            self._has_room.clear()
            await self._has_room.wait()
        self._active_puts += 1
        self._buffered += len(data)
        self._append(_Item(row, tasks.create_task(self._put_now(key, data, _CONTENT_TYPES[target.kind]))))

    def _append(self, item: _Item) -> None:
        self._items.append(item)
        self._has_items.set()
        if len(self._items) >= AHEAD // 2:
            self._is_urgent.set()

    async def _put_now(self, key: str, data: bytes, content_type: str) -> None:
        try:
            await put_object(self._store, key, data, content_type)
        finally:
            self._active_puts -= 1
            self._buffered -= len(data)
            self._has_room.set()
