"""The server: listen on an address, serve connections, and shut down gracefully."""

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from functools import partial
from typing import TYPE_CHECKING, Literal, cast

from starlette.types import ASGIApp
from uvicorn import Config, Server
from uvicorn.server import ServerState

from metastore.entrypoints.server.connection import Connection
from metastore.entrypoints.server.direct_transfer import FileSender
from metastore.entrypoints.server.passing import Neighbour
from metastore.entrypoints.server.ready_response import ReadyResponder

if TYPE_CHECKING:
    from uvicorn._types import ASGIApplication

_KEEP_ALIVE_SECONDS = 75
"""Longer than the 60 s for which proxies keep idle connections, so that none is closed as a request is being sent."""
_SENDING_THREADS = 16
_IDLE_SECONDS = 30.0
_LAST_HEAD_SECONDS = 0.5
"""Seconds in which new connections may still send their request when the server stops."""
_CANCELLED_SECONDS = 5
"""Seconds in which cancelled requests must end."""
_MESSAGE_LIMIT = 2**20
"""Bytes of a WebSocket message."""

Protocol = Literal["extended", "uvicorn"]


class HttpServer:
    """Serves an application in the running event loop.

    Args:
        app: The application.
        host: The address to listen on, if it ``listens``.
        port: The port to listen on, if it ``listens``.
        protocol: ``extended`` is described in the package; ``uvicorn`` is uvicorn's own protocol class.
        ready_response: Called first for GET requests, as the package describes. Not used with ``uvicorn``.
        neighbour: Another process that serves some requests of the same connections. Not used with ``uvicorn``.
        listens: Whether it listens, and serves WebSockets. Otherwise it serves the connections given to ``adopt``.
        grace: Seconds after ``stop`` until requests in progress are cancelled.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        host: str = "",
        port: int = 0,
        protocol: Protocol = "extended",
        ready_response: ReadyResponder | None = None,
        neighbour: Neighbour | None = None,
        listens: bool = True,
        grace: int = 60,
    ) -> None:
        self._listens = listens
        self._threads = ThreadPoolExecutor(_SENDING_THREADS, thread_name_prefix="send")
        extended = partial(
            Connection,
            sender=FileSender(self._threads, _IDLE_SECONDS),
            ready_response=ready_response,
            neighbour=neighbour,
        )
        config = Config(
            cast("ASGIApplication", app),
            host=host,
            port=port,
            interface="asgi3",
            http=cast("type[Connection]", extended) if protocol == "extended" else "httptools",
            ws="websockets-sansio" if listens else "none",
            ws_max_size=_MESSAGE_LIMIT,
            # Messages are short, and a socket that compresses takes 40 kB more.
            ws_per_message_deflate=False,
            # Engine.IO has pings of its own.
            ws_ping_interval=None,
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            backlog=1024,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=grace,
        )
        self._server = _Server(config)

    @property
    def is_listening(self) -> bool:
        """Return whether new connections are accepted."""
        return self._server.started and not self._server.should_exit

    async def serve(self) -> None:
        """Serve until ``stop`` is called and the requests in progress have ended.

        Raises:
            SystemExit: the address cannot be bound.
        """
        try:
            await self._server.serve(None if self._listens else [])
        finally:
            self._threads.shutdown()

    def adopt(self, connection: socket.socket, received: bytes) -> None:
        """Serve a connection that another process has accepted, and from which it has received some bytes."""
        self._server.adopt(connection, received)

    def stop(self, grace: float | None = None) -> None:
        """Stop accepting connections, and let ``serve`` return. ``grace`` replaces that of the constructor."""
        self._server.stop(grace)


class _State(ServerState):
    """uvicorn's state, whose Date header is made when a response needs it and not ten times a second."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self._config = config
        self._made_at = 0

    @property
    def default_headers(self) -> list[tuple[bytes, bytes]]:
        """The headers that every response has."""
        now = int(time.time())
        if now != self._made_at:
            self._made_at = now
            date = formatdate(now, usegmt=True).encode()
            self._headers = [(b"date", date), *self._config.encoded_headers]
        return self._headers

    @default_headers.setter
    def default_headers(self, headers: list[tuple[bytes, bytes]]) -> None:
        self._headers = headers


class _Server(Server):
    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.server_state = _State(config)
        self._stopped = asyncio.Event()
        self._adopting: set[asyncio.Task[None]] = set()

    def stop(self, grace: float | None) -> None:
        if grace is not None:
            self.config.timeout_graceful_shutdown = cast("int", grace)
        self.should_exit = True
        self._stopped.set()

    async def main_loop(self) -> None:
        """Wait for the end. uvicorn would check ten times a second whether it has come."""
        await self._stopped.wait()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Install no signal handlers; the process has its own."""
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop without resetting connections that clients have established.

        Closing a listening socket resets the connections in its queue, and uvicorn closes those that have not sent a
        request yet. Behind a gateway, a request is on its way on both.
        """
        await self._accept_queued()
        for _ in range(50):
            if all(getattr(each, "cycle", each) is not None for each in self.server_state.connections):
                break
            await asyncio.sleep(_LAST_HEAD_SECONDS / 50)
        await super().shutdown(sockets)
        # After the grace period uvicorn cancels requests, but neither waits for them nor closes their connections.
        for each in list(self.server_state.connections):
            each.transport.abort()
        if self.server_state.tasks:
            await asyncio.wait(set(self.server_state.tasks), timeout=_CANCELLED_SECONDS)

    async def _accept_queued(self) -> None:
        loop = asyncio.get_running_loop()
        listeners = [socket.socket(fileno=os.dup(each.fileno())) for server in self.servers for each in server.sockets]
        for server in self.servers:
            server.close()
        # The event loop closes its handles in the next iteration; the duplicates keep the queue until it is empty.
        await asyncio.sleep(0.01)
        accepted: list[socket.socket] = []
        for listener in listeners:
            # Raised when the queue is empty, or the process has too many open files.
            with listener, contextlib.suppress(OSError):
                while True:
                    accepted.append(listener.accept()[0])
        for connection in accepted:
            connection.setblocking(False)
            with contextlib.suppress(OSError):
                await loop.connect_accepted_socket(self._new_connection, connection)

    def adopt(self, connection: socket.socket, received: bytes) -> None:
        task = asyncio.get_running_loop().create_task(self._adopt(connection, received))
        self._adopting.add(task)
        task.add_done_callback(self._adopting.discard)

    async def _adopt(self, connection: socket.socket, received: bytes) -> None:
        connection.setblocking(False)
        try:
            protocol = self._new_connection(received=received)
            await asyncio.get_running_loop().connect_accepted_socket(lambda: protocol, connection)
        except OSError:  # the client has disconnected
            connection.close()
            return
        if self.should_exit:
            protocol.data_received(b"")
            protocol.shutdown()

    def _new_connection(self, **options: bytes) -> Connection:
        protocol = cast("Callable[..., Connection]", self.config.http_protocol_class)
        return protocol(self.config, self.server_state, self.lifespan.state, **options)
