"""The API process's end: start the data plane process, connect to it, and start the next one when it dies."""

import asyncio
import os
import socket
import subprocess
import time
from pathlib import Path

import structlog

from metastore.embedded_store import DataPlaneCalls, EmbeddedStore
from metastore.entrypoints.data_plane.start import COMMAND, PREFIX, Start
from metastore.entrypoints.server.passing import Adopt, SocketPasser
from metastore.ports.object_store import StoreUnavailableError

_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 5.0
_STABLE_SECONDS = 10.0
"""A process that lived this long is replaced at once. Otherwise there is a pause, which doubles each time."""
_END_SECONDS = 10.0
"""Seconds in which the process must end after its connection has."""
_log = structlog.get_logger(__name__)


class DataPlaneLink:
    """Passes connections and calls to the data plane process.

    It is the ``Neighbour`` of the API process's connections. ``uploads`` are the open uploads, for the object store.

    Args:
        store: The store that the process serves.
        origins: The other origins whose pages may write.
        log_level: The level of its log, which is written to standard error.
    """

    def __init__(self, store: EmbeddedStore, origins: list[str], log_level: str) -> None:
        self.uploads = DataPlaneCalls()
        self._store = store
        self._origins = origins
        self._log_level = log_level
        self._passer: SocketPasser | None = None
        self._adopt: Adopt | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._calls: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The ID of the data plane process."""
        return self._process.pid if self._process else None

    def pass_back_to(self, adopt: Adopt) -> None:
        """Let ``adopt`` serve the connections that come back from the data plane."""
        self._adopt = adopt

    async def start(self) -> None:
        """Start the process and connect to it. Returns when it serves.

        Raises:
            StoreUnavailableError: it has died at once.
        """
        passing, their_passing = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        calls, their_calls = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with their_passing, their_calls:
            self._process = self._start_process(their_passing.fileno(), their_calls.fileno())
        self._calls = asyncio.create_task(self.uploads.attach(*await asyncio.open_unix_connection(sock=calls)))
        passer = SocketPasser(passing, self._serve_here)
        try:
            await self.uploads.check()
        except BaseException:
            passer.close()
            raise
        self._passer = passer

    async def keep_running(self) -> None:
        """Start the process again whenever it has died. Runs until it is cancelled."""
        pause = _FIRST_PAUSE
        while self._process is not None and self._calls is not None:
            began = time.monotonic()
            await asyncio.wait([self._calls])
            code = await self._end()
            _log.error("the data plane process has died", code=code)
            if time.monotonic() - began >= _STABLE_SECONDS:
                pause = _FIRST_PAUSE
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
            try:
                await self.start()
            except StoreUnavailableError:
                continue

    async def drain(self, seconds: float) -> None:
        """Let the process finish its transfers within that time. It still answers calls afterwards."""
        try:
            await self.uploads.drain(seconds)
        except StoreUnavailableError:
            _log.warning("the data plane process has died while it was stopping")

    async def aclose(self) -> None:
        """End the process and wait for its end."""
        if self._calls is not None:
            self._calls.cancel()
            await asyncio.wait([self._calls])
        await self._end()

    def serves(self, path: str, *, is_websocket: bool) -> bool:
        """Implement ``Neighbour``."""
        return path.startswith(PREFIX) and not is_websocket and self._passer is not None and self._passer.is_open

    def take(self, connection: socket.socket, received: bytes) -> None:
        """Implement ``Neighbour``."""
        if self._passer is None:
            connection.close()
        else:
            self._passer.send(connection, received)

    def _serve_here(self, connection: socket.socket, received: bytes) -> None:
        if self._adopt is None:
            connection.close()
        else:
            self._adopt(connection, received)

    def _start_process(self, passing: int, calls: int) -> "subprocess.Popen[bytes]":
        # In this thread, and not by asyncio: the kernel kills the process when the thread that started it ends.
        process = subprocess.Popen(  # noqa: S603  our own program
            COMMAND,
            stdin=subprocess.PIPE,
            env={name: value for name, value in os.environ.items() if not name.startswith("METASTORE_")},
            cwd=Path("/"),
            pass_fds=[passing, calls, self._store.lock],
        )
        start = Start(
            folder=str(self._store.folder),
            signing_key=self._store.signing_key.hex(),
            public_base=self._store.public_base,
            origins=self._origins,
            log_level=self._log_level,
            passing=passing,
            calls=calls,
            parent=os.getpid(),
        )
        if process.stdin is not None:
            with process.stdin as stdin:
                stdin.write(start.encode())
        return process

    async def _end(self) -> int | None:
        """Wait for the end of the process, so that it writes nothing any more. Return its exit code."""
        if self._passer is not None:
            self._passer.close()
            self._passer = None
        if self._process is None:
            return None
        process, self._process = self._process, None
        try:
            return await asyncio.to_thread(process.wait, _END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            return await asyncio.to_thread(process.wait)
