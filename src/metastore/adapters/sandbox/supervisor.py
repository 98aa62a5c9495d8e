"""The parent process: start a child, serve its reads, collect its results and enforce its limits."""

import asyncio
import contextlib
import json
import resource
import time
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass

from metastore.adapters.sandbox import protocol
from metastore.adapters.sandbox.children import Child, Children
from metastore.adapters.sandbox.fork_client import default_children
from metastore.adapters.sandbox.protocol import Json, Task
from metastore.adapters.sandbox.read_ahead import ReadAhead
from metastore.adapters.sandbox.time_limit import ProcessorWait, TimeLimit
from metastore.kit.problems.reason_codes import known_reason
from metastore.ports.media_tools import (
    MediaRefusedError,
    MediaToolError,
    NoPictureError,
    NotCopyableError,
    Source,
)

_READ_SECONDS = 1.0
"""Seconds of each read that count against the child's time limit; the store may be slow."""
_REFUSALS: dict[bytes, type[MediaRefusedError]] = {
    protocol.REFUSED: MediaRefusedError,
    protocol.NOT_COPYABLE: NotCopyableError,
    protocol.NO_PICTURE: NoPictureError,
}


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits on one task. Exceeding any of them ends the child.

    Attributes:
        seconds: Wall-clock time, not counting the time spent waiting for the consumer of a result, for the source, or
            for a processor that others use.
        stalled_seconds: Time without any message from the child, not counting its wait for a processor.
        cpu_seconds: Processor time.
        seconds_for_each: Added to ``seconds`` and ``cpu_seconds`` for each result, so that long work may continue as
            long as it makes progress.
        memory: Bytes of address space.
        read: Bytes read from the source; bytes that are read twice count twice.
        made: Bytes of all results.
        each_made: Bytes of a single result.
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
class TaskResult:
    """A result that a task emitted."""

    header: Mapping[str, Json]
    data: bytes


class Sandbox:
    """Runs tasks in child processes; tests replace how these are started."""

    def __init__(self, children: Children | None = None) -> None:
        self._children = children or default_children()

    async def work(
        self, name: str, arguments: Mapping[str, Json], source: Source, limits: Limits
    ) -> AsyncGenerator[TaskResult, None]:
        """Run the task ``name`` and yield its results as they arrive.

        The child waits until each result is consumed. Closing the generator ends the child.

        Raises:
            MediaRefusedError, NoPictureError, NotCopyableError: the task refused the source.
            MediaToolError: the child died, hung, or exceeded its limits.
        """
        child = await self._children.start(name.partition(":")[0])
        run = _TaskRun(child, source, limits)
        try:
            await run.begin(name, arguments)
            while (result := await run.next()) is not None:
                yield result
        except (asyncio.IncompleteReadError, ConnectionError):
            raise MediaToolError("the tool exited early") from None
        except TimeoutError:
            raise MediaToolError("the tool exceeded its time limit") from None
        finally:
            await child.end(is_exiting=run.ended)
            await run.close()


class _TaskRun:
    """One task in one child process: the messages exchanged with the child, and what is left of its limits."""

    def __init__(self, child: Child, source: Source, limits: Limits) -> None:
        self.ended = False
        self._child = child
        self._outgoing, self._incoming = child.outgoing, child.incoming
        self._size, self._limits = source.size, limits
        self._reader = ReadAhead(source)
        self._seconds_left = limits.seconds
        self._cpu_seconds = limits.cpu_seconds
        self._read_bytes = self._result_bytes = 0
        self._total_wait, self._silent_wait = ProcessorWait(child.pid), ProcessorWait(child.pid)

    async def begin(self, name: str, arguments: Mapping[str, Json]) -> None:
        """Send the task."""
        cpu_seconds = self._limits.cpu_seconds
        max_cpu_seconds = resource.RLIM_INFINITY if self._limits.seconds_for_each else cpu_seconds + 1
        task = Task(name, arguments, self._size, self._limits.memory, cpu_seconds, max_cpu_seconds)
        self._outgoing.write(task.line())

    async def next(self) -> TaskResult | None:
        """Return the next result, or ``None`` when the task is done."""
        since = time.monotonic()
        limit = TimeLimit(self._seconds_left, self._total_wait)
        try:
            async with limit:
                while (kind := await self._receive(1)) == protocol.READ:
                    await self._serve_read(limit)
                if kind == protocol.EMIT:
                    return await self._receive_result()
                await self._receive_end(kind)
                return None
        finally:
            self._seconds_left -= time.monotonic() - since - limit.uncounted

    async def close(self) -> None:
        """Stop reading from the source."""
        await self._reader.close()

    async def _receive(self, count: int) -> bytes:
        async with TimeLimit(self._limits.stalled_seconds, self._silent_wait):
            return await self._incoming.readexactly(count)

    async def _serve_read(self, limit: TimeLimit) -> None:
        offset, length = protocol.RANGE.unpack(await self._receive(protocol.RANGE.size))
        self._read_bytes += length
        if length > protocol.MAX_READ or self._read_bytes > self._limits.read:
            raise MediaToolError("the tool read too much")
        block = await self._read(offset, length, limit)
        self._outgoing.write(protocol.LENGTH.pack(len(block)) + block)
        await self._outgoing.drain()

    async def _read(self, offset: int, length: int, limit: TimeLimit) -> bytes:
        """Read from the source, which has timeouts of its own. Most of that time does not count against the child."""
        started = time.monotonic()
        limit.pause()
        block = await self._reader.read(offset, length)
        limit.extend(max(0.0, time.monotonic() - started - _READ_SECONDS))
        limit.resume()
        return block

    async def _receive_result(self) -> TaskResult:
        header, length = protocol.LENGTHS.unpack(await self._receive(protocol.LENGTHS.size))
        self._result_bytes += header + length
        too_large = header > protocol.MAX_HEADER or length > self._limits.each_made
        if too_large or self._result_bytes > self._limits.made:
            raise MediaToolError("the tool returned too much")
        try:
            result = TaskResult(json.loads(await self._receive(header)), await self._receive(length))
        except ValueError:
            raise MediaToolError("the tool returned an invalid result") from None
        if self._limits.seconds_for_each:
            self._extend_limits()
        return result

    async def _receive_end(self, kind: bytes) -> None:
        (length,) = protocol.LENGTH.unpack(await self._receive(protocol.LENGTH.size))
        if length > protocol.MAX_REASON:
            raise MediaToolError("the tool returned too long a reason")
        reason = (await self._receive(length)).decode(errors="replace")
        self.ended = True
        if kind != protocol.DONE:
            raise _refusal(kind, reason) or MediaToolError(reason)

    def _extend_limits(self) -> None:
        self._seconds_left += self._limits.seconds_for_each
        self._cpu_seconds += self._limits.seconds_for_each
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(self._child.pid, resource.RLIMIT_CPU, (self._cpu_seconds, resource.RLIM_INFINITY))


def _refusal(kind: bytes, code: str) -> MediaRefusedError | None:
    """Return the refusal that a child reported; ``None`` for anything else and for an unknown code."""
    refusal, reason = _REFUSALS.get(kind), known_reason(code)
    return refusal(reason) if refusal and reason else None
