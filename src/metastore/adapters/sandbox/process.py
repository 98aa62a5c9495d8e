"""The parent's side: starts a child, answers its questions, takes what it makes, and ends it in time."""

import asyncio
import contextlib
import json
import os
import resource
import signal
import sys
import time
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass

from metastore.adapters.sandbox import wire
from metastore.adapters.sandbox.reading import Reading
from metastore.adapters.sandbox.wire import Json, Task
from metastore.kit.reason_codes import known_reason
from metastore.ports.media_tools import (
    MediaRefusedError,
    MediaToolError,
    NotCopyableError,
    NothingToSeeError,
    Source,
)

CHILD = (sys.executable, "-m", "metastore.adapters.sandbox.child")
_LEAVE_WITHIN = 1.0
_READ_WITHIN = 1.0
"""Seconds of each reading that count as the tool's: it may read much, but cannot make a store slow."""
_REFUSALS: dict[bytes, type[MediaRefusedError]] = {
    wire.REFUSED: MediaRefusedError,
    wire.NOT_COPYABLE: NotCopyableError,
    wire.NOTHING_TO_SEE: NothingToSeeError,
}
_KEPT_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "PYTHONPATH", "LANG")
# Each thread that allocates would otherwise reserve 64 MiB of what the child may have.
_SET_VARIABLES = {"VIPS_CONCURRENCY": "1", "MALLOC_ARENA_MAX": "2"}


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one task.

    ``seconds``: on the clock, not counting those in which nobody takes what was made or the source does not answer;
    ``cpu_seconds``: of the processor. Each thing that was made earns ``seconds_for_each`` more of both, so that long
    work can be allowed as long as it gets on; ``stalled_seconds`` is the longest silence. ``read`` and ``made``: bytes
    of the source, each time they are asked for, and of results; ``each_made``: of one result. ``memory``: bytes of
    address space.
    """

    seconds: float = 25
    stalled_seconds: float = 25
    cpu_seconds: int = 20
    seconds_for_each: int = 0
    memory: int = 2 * 2**30
    read: int = 2**30
    made: int = 16 * 2**20
    each_made: int = 4 * 2**20


@dataclass(frozen=True, slots=True)
class Made:
    """Something that a task emitted."""

    header: Mapping[str, Json]
    data: bytes


class Sandbox:
    """Has tasks done within limits; ``command`` is for tests that want another child."""

    def __init__(self, command: tuple[str, ...] = CHILD) -> None:
        self._command = command

    async def work(
        self, name: str, arguments: Mapping[str, Json], source: Source, limits: Limits
    ) -> AsyncGenerator[Made, None]:
        """What the task makes of the source, as it comes; the child waits meanwhile. Closing this ends it.

        Raises:
            MediaRefusedError, NothingToSeeError, NotCopyableError: the task refused the source.
            MediaToolError: the child died, hung, or went beyond its limits.
        """
        # Nothing of our settings is for it to know.
        environment = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
        child = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={**environment, **_SET_VARIABLES},
            limit=2**20,
        )
        conversation = _Conversation(child, source, limits)
        try:
            await conversation.begin(name, arguments)
            while (made := await conversation.next()) is not None:
                yield made
        except (asyncio.IncompleteReadError, ConnectionError):
            raise MediaToolError("the tool died") from None
        except TimeoutError:
            raise MediaToolError("the tool took too long") from None
        finally:
            await _end(child, said_all=conversation.ended)
            await conversation.close()


class _Conversation:
    """With one child."""

    def __init__(self, child: asyncio.subprocess.Process, source: Source, limits: Limits) -> None:
        if child.stdin is None or child.stdout is None:
            raise MediaToolError("the tool has no pipes")
        self.ended = False
        self._child = child
        self._told, self._heard = child.stdin, child.stdout
        self._size, self._limits = source.size, limits
        self._reading = Reading(source)
        self._seconds_left = limits.seconds
        self._cpu_seconds = limits.cpu_seconds
        self._seen = self._made = 0
        self._excused = 0.0

    async def begin(self, name: str, arguments: Mapping[str, Json]) -> None:
        """Tell it what to do."""
        cpu_seconds = self._limits.cpu_seconds
        most = resource.RLIM_INFINITY if self._limits.seconds_for_each else cpu_seconds + 1
        self._told.write(Task(name, arguments, self._size, self._limits.memory, cpu_seconds, most).line())

    async def next(self) -> Made | None:
        """What it makes next, if anything."""
        since = time.monotonic()
        self._excused = 0.0
        try:
            async with asyncio.timeout(self._seconds_left) as limit:
                while (kind := await self._hear(1)) == wire.ASK:
                    await self._answer(limit)
                if kind == wire.EMIT:
                    return await self._take()
                await self._hear_the_end(kind)
                return None
        finally:
            self._seconds_left -= time.monotonic() - since - self._excused

    async def close(self) -> None:
        """Read nothing more for it."""
        await self._reading.close()

    async def _hear(self, count: int) -> bytes:
        async with asyncio.timeout(self._limits.stalled_seconds):
            return await self._heard.readexactly(count)

    async def _answer(self, limit: asyncio.Timeout) -> None:
        offset, length = wire.QUESTION.unpack(await self._hear(wire.QUESTION.size))
        self._seen += length
        if length > wire.MAX_QUESTION or self._seen > self._limits.read:
            raise MediaToolError("the tool wanted to see too much")
        answer = await self._read(offset, length, limit)
        self._told.write(wire.LENGTH.pack(len(answer)) + answer)
        await self._told.drain()

    async def _read(self, offset: int, length: int, limit: asyncio.Timeout) -> bytes:
        """What the source has there. It ends its waiting itself, and much of that is not the tool's fault."""
        asked, ends = time.monotonic(), limit.when()
        limit.reschedule(None)
        answer = await self._reading.read(offset, length)
        excused = max(0.0, time.monotonic() - asked - _READ_WITHIN)
        self._excused += excused
        limit.reschedule(None if ends is None else ends + excused)
        return answer

    async def _take(self) -> Made:
        about, length = wire.LENGTHS.unpack(await self._hear(wire.LENGTHS.size))
        self._made += about + length
        too_large = about > wire.MAX_HEADER or length > self._limits.each_made
        if too_large or self._made > self._limits.made:
            raise MediaToolError("the tool made too much")
        try:
            made = Made(json.loads(await self._hear(about)), await self._hear(length))
        except ValueError:
            raise MediaToolError("the tool made no sense") from None
        if self._limits.seconds_for_each:
            self._allow_more()
        return made

    async def _hear_the_end(self, kind: bytes) -> None:
        (length,) = wire.LENGTH.unpack(await self._hear(wire.LENGTH.size))
        if length > wire.MAX_REASON:
            raise MediaToolError("the tool said too much")
        reason = (await self._hear(length)).decode(errors="replace")
        self.ended = True
        if kind != wire.DONE:
            raise _refusal(kind, reason) or MediaToolError(reason)

    def _allow_more(self) -> None:
        self._seconds_left += self._limits.seconds_for_each
        self._cpu_seconds += self._limits.seconds_for_each
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(self._child.pid, resource.RLIMIT_CPU, (self._cpu_seconds, resource.RLIM_INFINITY))


def _refusal(kind: bytes, code: str) -> MediaRefusedError | None:
    """Return the refusal that a child reported; ``None`` for anything else, and for a code that does not exist."""
    refusal, reason = _REFUSALS.get(kind), known_reason(code)
    return refusal(reason) if refusal and reason else None


async def _end(child: asyncio.subprocess.Process, *, said_all: bool) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_LEAVE_WITHIN if said_all else 0):
            await child.wait()
    if child.returncode is None:
        # Not by the object's own method, which would take the exit code from under the event loop.
        with contextlib.suppress(ProcessLookupError):
            os.kill(child.pid, signal.SIGKILL)
    if child.stdin is not None:
        child.stdin.close()
        with contextlib.suppress(ConnectionError):
            await child.stdin.wait_closed()
    await child.wait()
