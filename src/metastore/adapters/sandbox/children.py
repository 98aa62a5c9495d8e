"""Start child processes, each by running its program. ``fork_client`` does the same much faster, but only on Linux."""

import asyncio
import contextlib
import os
import signal
import sys
from typing import Protocol

from metastore.ports.media_tools import MediaToolError

CHILD = (sys.executable, "-I", "-m", "metastore.adapters.sandbox.child")
"""Isolated (``-I``): neither the working directory nor ``PYTHONPATH`` can supply modules."""
_INHERITED_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "LANG")
# By default, each thread that allocates would reserve 64 MiB of the child's address space.
_SET_VARIABLES = {"VIPS_CONCURRENCY": "1", "MALLOC_ARENA_MAX": "2"}


class Child(Protocol):
    """A running child process.

    Attributes:
        pid: Its process ID; not used for another process before ``end``.
        incoming: What it sends.
        outgoing: What it receives.
    """

    pid: int
    incoming: asyncio.StreamReader
    outgoing: asyncio.StreamWriter

    async def end(self, *, is_exiting: bool) -> None:
        """Kill the child, unless it ``is_exiting`` by itself, and wait for its end."""
        ...


class Children(Protocol):
    """Starts children."""

    async def start(self, module: str) -> Child:
        """Start a child for a task of ``module``.

        Raises:
            MediaToolError: it cannot be started.
        """
        ...


EXIT_SECONDS = 1.0
"""Time in which a child that is exiting by itself has to end."""


def environment() -> dict[str, str]:
    """Return the environment of a child, which does not get our settings and secrets."""
    return {name: os.environ[name] for name in _INHERITED_VARIABLES if name in os.environ} | _SET_VARIABLES


class ProgramChildren:
    """Starts a program for each child; it has to load the libraries of its task."""

    def __init__(self, command: tuple[str, ...] = CHILD) -> None:
        self._command = command

    async def start(self, module: str) -> Child:
        """See ``Children``."""
        process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=environment(),
            limit=2**20,
        )
        return _ProgramChild(process)


class _ProgramChild:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        if process.stdin is None or process.stdout is None:
            raise MediaToolError("the child process has no pipes")
        self.pid = process.pid
        self.incoming, self.outgoing = process.stdout, process.stdin
        self._process = process

    async def end(self, *, is_exiting: bool) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(EXIT_SECONDS if is_exiting else 0):
                await self._process.wait()
        if self._process.returncode is None:
            # Process.kill() would reap the child, and the event loop would miss its exit code.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
        self.outgoing.close()
        with contextlib.suppress(ConnectionError):
            await self.outgoing.wait_closed()
        await self._process.wait()
