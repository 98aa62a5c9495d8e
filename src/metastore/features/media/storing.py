"""The way from the transcoder into the store and the database.

Objects are stored a few at a time, while the next are made; their rows are written in the order in which the segments
were made, some together, once the objects are there. What is held in memory is bounded, and so is how far the objects
are ahead of the rows: whoever knows a rendition's rows knows every key that may exist below its prefix (``keys_of``),
even when the process died in between.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import takewhile

from metastore.features.media.models import init_key, segment_key
from metastore.kit.saga_claims import LeaseLostError
from metastore.ports.object_store import ObjectStore, ObjectStoreError, StoreFullError
from metastore.ports.transcoder import Ended, Output, Segment, Started

AHEAD = 64
"""So many objects may be stored, or be just being stored, without a row."""
_PUTS_AT_ONCE = 4
_HELD_BYTES = 128 * 2**20
_ROWS_EVERY = 0.3
"""Seconds; more often only when half of ``AHEAD`` wait."""
_STALLED = 900.0
"""Seconds without anything made, after which the transcoder is taken to hang; it has shorter limits of its own."""
_TRIES, _PAUSE = 3, 0.5
_TRY_WITHIN = 10.0
"""Seconds after which it is for the caller to try again: each try may take half a minute."""
_CONTENT_TYPES = {"video": "video/mp4", "audio": "audio/mp4"}


@dataclass(slots=True)
class Place:
    """Where a rendition's objects go.

    Segments before ``count`` are there already, and the initialisation segment is if ``has_init``; segments before
    ``reached`` may be.
    """

    kind: str
    key_prefix: str
    count: int = 0
    reached: int = 0
    has_init: bool = False


@dataclass(frozen=True, slots=True)
class Stored:
    """A segment whose object is in the store; times in microseconds, size in bytes."""

    rendition: str
    number: int
    start_us: int
    duration_us: int
    size: int


Begin = Callable[[Started], Awaitable[Place]]
"""Write a rendition's row, or find it."""
Write = Callable[[Sequence[Stored | Ended]], Awaitable[None]]
"""Write the rows of what is in the store, or has come to its end."""


def keys_of(key_prefix: str, count: int) -> list[str]:
    """Every key below ``key_prefix`` under which there may be an object when there are ``count`` rows."""
    return [init_key(key_prefix), *(segment_key(key_prefix, number) for number in range(count + AHEAD))]


def keys_ahead(key_prefix: str, count: int) -> list[str]:
    """Those of ``keys_of`` that no row tells of; without any row, the initialisation segment counts as such."""
    ahead = [segment_key(key_prefix, number) for number in range(count, count + AHEAD)]
    return ahead if count else [init_key(key_prefix), *ahead]


async def store_all(store: ObjectStore, outputs: AsyncIterator[Output], begin: Begin, write: Write) -> None:
    """Bring all that is made into the store, and have its rows written; what was made before the making failed, too.

    Raises:
        Exception: what the making, the store or ``begin`` and ``write`` raised first.
    """
    line = _Line(store, begin, write)
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.write_rows())
            trouble = await line.take(outputs, tasks)
    except ExceptionGroup as group:
        lost = (error for error in group.exceptions if isinstance(error, LeaseLostError))
        raise next(lost, group.exceptions[0]) from None
    finally:
        if isinstance(outputs, AsyncGenerator):
            await outputs.aclose()
    if trouble is not None:
        raise trouble


@dataclass(slots=True)
class _Item:
    row: Stored | Ended | None
    put: "asyncio.Task[None] | None"

    @property
    def is_done(self) -> bool:
        return self.put is None or (self.put.done() and not self.put.cancelled() and self.put.exception() is None)


class _Line:
    def __init__(self, store: ObjectStore, begin: Begin, write: Write) -> None:
        self._store, self._begin, self._write = store, begin, write
        self._places: dict[str, Place] = {}
        self._items: deque[_Item] = deque()
        self._puts = self._held = 0
        self._all_made = False
        self._more, self._room, self._hurry = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def take(self, outputs: AsyncIterator[Output], tasks: asyncio.TaskGroup) -> Exception | None:
        """Take what is made, as fast as it can be stored; returns why no more is made, if not because all is."""
        trouble: Exception | None = None
        while True:
            try:
                async with asyncio.timeout(_STALLED):
                    output = await anext(outputs, None)
            except Exception as error:  # noqa: BLE001  whatever it is, it is for the caller
                trouble = error
                break
            if output is None:
                break
            if isinstance(output, Started):
                place = self._places[output.rendition] = await self._begin(output)
                if not place.has_init:
                    await self._add(tasks, None, place, init_key(place.key_prefix), output.init)
            elif isinstance(output, Segment):
                place = self._places[output.rendition]
                if output.number >= place.count:
                    place.reached = max(place.reached, output.number + 1)
                    row = Stored(output.rendition, output.number, output.start_us, output.duration_us, len(output.data))
                    await self._add(tasks, row, place, segment_key(place.key_prefix, output.number), output.data)
            else:
                self._append(_Item(output, None))
        self._all_made = True
        self._more.set()
        self._hurry.set()
        return trouble

    async def write_rows(self) -> None:
        """Write rows until all that is made has one."""
        while True:
            while not self._items:
                if self._all_made:
                    return
                self._more.clear()
                await self._more.wait()
            if (put := self._items[0].put) is not None:
                await put
            batch = list(takewhile(lambda item: item.is_done, self._items))
            if rows := [item.row for item in batch if item.row is not None]:
                await self._write(rows)
            for _ in batch:
                self._items.popleft()
            self._room.set()
            await self._pause()

    async def _pause(self) -> None:
        if not self._all_made and len(self._items) < AHEAD // 2:
            self._hurry.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_ROWS_EVERY):
                    await self._hurry.wait()

    async def _add(self, tasks: asyncio.TaskGroup, row: Stored | None, place: Place, key: str, data: bytes) -> None:
        while (
            self._puts >= _PUTS_AT_ONCE
            or (self._held and self._held + len(data) > _HELD_BYTES)
            or len(self._items) >= AHEAD
        ):
            self._room.clear()
            await self._room.wait()
        self._puts += 1
        self._held += len(data)
        self._append(_Item(row, tasks.create_task(self._put(key, data, _CONTENT_TYPES[place.kind]))))

    def _append(self, item: _Item) -> None:
        self._items.append(item)
        self._more.set()
        if len(self._items) >= AHEAD // 2:
            self._hurry.set()

    async def _put(self, key: str, data: bytes, content_type: str) -> None:
        try:
            await put(self._store, key, data, content_type)
        finally:
            self._puts -= 1
            self._held -= len(data)
            self._room.set()


async def put(store: ObjectStore, key: str, data: bytes, content_type: str) -> None:
    """Store a small object, be it that the store is away for a moment, or that somebody did so who has lost the saga.

    Raises:
        ObjectStoreError: it is full, or away for longer.
    """
    until = time.monotonic() + _TRY_WITHIN
    for further in range(_TRIES - 1, -1, -1):
        try:
            await store.put(key, _once(data), size=len(data), content_type=content_type)
        except StoreFullError:
            raise
        except ObjectStoreError:
            if not further or time.monotonic() > until:
                raise
            await asyncio.sleep(_PAUSE)
            # It may be there all the same, and no key is written twice.
            await store.delete([key])
        else:
            return


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data
