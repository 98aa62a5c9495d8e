"""The parent's side: starts a child, answers its questions, and ends it in time."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from dataclasses import dataclass

from metastore.adapters.media_tools import wire
from metastore.adapters.media_tools.wire import Task
from metastore.ports.media_tools import MediaFacts, MediaRefusedError, MediaToolError, Source

_CHILD = "metastore.adapters.media_tools.child"
_LEAVE_WITHIN = 1.0
_KEPT_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "PYTHONPATH", "LANG")


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one question: seconds on the clock and of the processor, bytes of memory and of the source."""

    seconds: float = 25
    cpu_seconds: int = 20
    memory: int = 2 * 2**30
    read: int = 2**30


class ChildProcessTools:
    """Implements ``MediaTools``; ``command`` is for tests that want another child."""

    def __init__(self, limits: Limits | None = None, command: tuple[str, ...] = (sys.executable, "-m", _CHILD)) -> None:
        self._limits = limits or Limits()
        self._command = command

    async def probe(self, source: Source) -> MediaFacts:
        """See the port."""
        return MediaFacts(**json.loads(await self._ask(source, pixels=0)))

    async def thumbnail(self, source: Source, *, size: int) -> bytes:
        """See the port."""
        return await self._ask(source, pixels=size)

    async def _ask(self, source: Source, *, pixels: int) -> bytes:
        limits = self._limits
        task = Task(source.size, source.mime_type, pixels, limits.memory, limits.cpu_seconds)
        # Nothing of our settings is for it to know.
        environment = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
        child = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={**environment, "VIPS_CONCURRENCY": "1", "MALLOC_ARENA_MAX": "2"},
        )
        said_all = False
        try:
            async with asyncio.timeout(limits.seconds):
                answer = await self._converse(child, task, source)
            said_all = True
        except MediaRefusedError:
            said_all = True
            raise
        except (asyncio.IncompleteReadError, ConnectionError):
            raise MediaToolError("the tool died") from None
        except TimeoutError:
            raise MediaToolError("the tool took too long") from None
        finally:
            await _end(child, said_all=said_all)
        return answer

    async def _converse(self, child: asyncio.subprocess.Process, task: Task, source: Source) -> bytes:
        told, heard = child.stdin, child.stdout
        if told is None or heard is None:
            raise MediaToolError("the tool has no pipes")
        told.write(task.line())
        seen = 0
        while (kind := await heard.readexactly(1)) == wire.ASK:
            offset, length = wire.QUESTION.unpack(await heard.readexactly(wire.QUESTION.size))
            seen += length
            if length > wire.MAX_QUESTION or seen > self._limits.read:
                raise MediaToolError("the tool wanted to see too much")
            answer = await _read(source, offset, length)
            told.write(wire.LENGTH.pack(len(answer)) + answer)
            await told.drain()
        (length,) = wire.LENGTH.unpack(await heard.readexactly(wire.LENGTH.size))
        if length > wire.MAX_ANSWER:
            raise MediaToolError("the tool answered too much")
        answer = await heard.readexactly(length)
        if kind == wire.REFUSED:
            raise MediaRefusedError(answer.decode(errors="replace"))
        if kind != wire.DONE:
            raise MediaToolError(answer.decode(errors="replace"))
        return answer


async def _read(source: Source, offset: int, length: int) -> bytes:
    length = min(length, source.size - offset)
    if length <= 0:
        return b""
    async with contextlib.aclosing(source.read(offset, length)) as chunks:  # type: ignore[type-var]  # stores' readers are generators
        return b"".join([chunk async for chunk in chunks])


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
