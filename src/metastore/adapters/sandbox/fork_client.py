"""Start child processes by forking one that has loaded their libraries: see ``fork_server``.

A fork takes a few milliseconds, where starting Python and loading the libraries takes hundreds. There is one fork
server for each module of tasks. It starts with the first task, and ends when there has been none for a while. Its
children are alike in the layout of their memory. So that nothing can be learned from one about the next, a server whose
child did not finish its task forks no more.
"""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import weakref

from metastore.adapters.sandbox.children import EXIT_SECONDS, Child, Children, ProgramChildren, environment
from metastore.adapters.sandbox.fork_server import FORK, HAS_THREADS, MAX_MESSAGE, READY
from metastore.ports.media_tools import MediaToolError

FORK_SERVER = (sys.executable, "-I", "-m", "metastore.adapters.sandbox.fork_server")
"""The command, without the module. Isolated (``-I``) like the children's own program."""
_ATTEMPTS = 2
_START_SECONDS = 25.0
_IDLE_SECONDS = 10.0


class ForkedChildren:
    """Starts children by forking; those whose module starts threads, by ``programs``.

    ``command`` starts a fork server, which ends after ``idle_seconds`` without a child.
    """

    def __init__(
        self,
        command: tuple[str, ...] = FORK_SERVER,
        idle_seconds: float = _IDLE_SECONDS,
        programs: Children | None = None,
    ) -> None:
        self._command = command
        self._idle_seconds = idle_seconds
        self._programs = programs or ProgramChildren()
        self._servers: dict[str, _ForkServer] = {}
        self._unforkable: set[str] = set()

    async def start(self, module: str) -> Child:
        """See ``Children``."""
        attempts = _ATTEMPTS
        while module not in self._unforkable:
            attempts -= 1
            try:
                return await self._server_for(module).fork()
            except _HasThreadsError:
                self._unforkable.add(module)
            except _EndedError:
                if not attempts:
                    raise
        return await self._programs.start(module)

    def _server_for(self, module: str) -> "_ForkServer":
        server = self._servers.get(module)
        if server is None or not server.is_usable:
            server = self._servers[module] = _ForkServer((*self._command, module), self._idle_seconds)
        return server


def default_children() -> Children:
    """Return the fastest way to start children on this system."""
    is_supported = sys.platform == "linux" and hasattr(os, "pidfd_open")
    return ForkedChildren() if is_supported else ProgramChildren()


class _HasThreadsError(Exception):
    """The module starts threads, and cannot be forked."""


class _EndedError(MediaToolError):
    """The fork server has ended, or another request to it was cancelled half-way; a new one can fork."""


class _ForkServer:
    """One fork server process, used from one event loop."""

    def __init__(self, command: tuple[str, ...], idle_seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._idle_seconds = idle_seconds
        self._lock = asyncio.Lock()
        self._is_ready = self._is_retired = False
        self._is_in_step = True
        """Whether every request was followed by its response."""
        self._children = 0
        self._idle_check: asyncio.TimerHandle | None = None
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            null = ((os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_WRONLY, 0) for stream in (1, 2))
            actions = [(os.POSIX_SPAWN_DUP2, theirs.fileno(), 0), *null]
            pid = os.posix_spawn(command[0], command, environment(), file_actions=actions)
        self._control.setblocking(False)
        # Closing the socket ends the server.
        self.end = weakref.finalize(self, _end_server, self._control, pid)

    @property
    def is_usable(self) -> bool:
        """Whether it may fork children for the running event loop."""
        return self.end.alive and not self._is_retired and self._loop is asyncio.get_running_loop()

    async def fork(self) -> "_ForkedChild":
        """Fork a child.

        Raises:
            MediaToolError: the server does not respond, or cannot fork.
            _EndedError: it has ended.
            _HasThreadsError: the module cannot be forked.
        """
        self._children += 1
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                pid = await self._request_fork(theirs)
            ours.setblocking(False)
            incoming, outgoing = await asyncio.open_unix_connection(sock=ours, limit=2**20)
            return _ForkedChild(self, pid, incoming, outgoing)
        except BaseException:
            ours.close()
            self.retire()
            self.release()
            raise

    def retire(self) -> None:
        """Fork no more children; end after the last one."""
        self._is_retired = True

    def release(self, pid: int | None = None) -> None:
        """Forget a child, and reap its process."""
        self._children -= 1
        if pid is not None:
            with contextlib.suppress(OSError):
                self._control.send(str(pid).encode())
        if self._children:
            return
        if self._is_retired:
            self.end()
            return
        if self._idle_check is not None:
            self._idle_check.cancel()
        self._idle_check = self._loop.call_later(self._idle_seconds, self._end_if_idle)

    def _end_if_idle(self) -> None:
        if not self._children:
            self.end()

    async def _request_fork(self, connection: socket.socket) -> int:
        try:
            async with asyncio.timeout(_START_SECONDS), self._lock:
                if not self._is_in_step:
                    raise _EndedError("the fork server is no longer used")
                self._is_in_step = False
                if not self._is_ready:
                    await self._wait_until_ready()
                socket.send_fds(self._control, [FORK], [connection.fileno()])
                pid = int(await self._receive())
                self._is_in_step = True
        except TimeoutError:
            raise MediaToolError("the fork server does not respond") from None
        except OSError as error:
            raise _EndedError("the fork server has ended") from error
        if not pid:
            raise MediaToolError("no child process can be started")
        return pid

    async def _wait_until_ready(self) -> None:
        message = await self._receive()
        if message == HAS_THREADS:
            raise _HasThreadsError
        self._is_ready = message == READY

    async def _receive(self) -> bytes:
        message = await self._loop.sock_recv(self._control, MAX_MESSAGE)
        if not message:
            raise ConnectionResetError
        return message


class _ForkedChild:
    def __init__(
        self, server: _ForkServer, pid: int, incoming: asyncio.StreamReader, outgoing: asyncio.StreamWriter
    ) -> None:
        self.pid, self.incoming, self.outgoing = pid, incoming, outgoing
        self._server = server
        self._process = os.pidfd_open(pid)

    async def end(self, *, is_exiting: bool) -> None:
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_reader(self._process, ended.set)
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(EXIT_SECONDS if is_exiting else 0):
                    await ended.wait()
            if not is_exiting or not ended.is_set():
                self._kill()
            self.outgoing.close()
            with contextlib.suppress(ConnectionError):
                await self.outgoing.wait_closed()
            await ended.wait()
        finally:
            loop.remove_reader(self._process)
            if not ended.is_set():
                self._kill()
            os.close(self._process)
            self._server.release(self.pid)

    def _kill(self) -> None:
        self._server.retire()
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._process, signal.SIGKILL)


def _end_server(control: socket.socket, pid: int) -> None:
    control.close()
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
