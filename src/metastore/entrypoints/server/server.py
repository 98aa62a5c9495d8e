"""The server itself: a socket, its connections, and how they end."""

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, cast

from starlette.types import ASGIApp
from uvicorn import Config, Server

from metastore.entrypoints.server.answers import AnswerNow
from metastore.entrypoints.server.connection import Connection
from metastore.entrypoints.server.direct import FileSender

if TYPE_CHECKING:
    from uvicorn._types import ASGIApplication

_KEEP_ALIVE_SECONDS = 75
"""Longer than the 60 s for which proxies keep idle connections, so that none is closed under a request on its way."""
_SENDING_THREADS = 16
_IDLE_SECONDS = 30.0
_LAST_HEAD_SECONDS = 0.5
"""How long connections that were just made have to send their request when the server stops."""
_CANCELLED_SECONDS = 5
"""How long requests that were cut off have to end."""
_MESSAGE_LIMIT = 2**20
"""Bytes of one WebSocket message."""


class HttpServer:
    """Serves ``app`` on an address, in the running event loop.

    ``answer_now`` is asked for GETs first; see the package. Requests that still run ``grace`` seconds after ``stop``
    are cut off.
    """

    def __init__(
        self, app: ASGIApp, *, host: str, port: int, answer_now: AnswerNow | None = None, grace: int = 60
    ) -> None:
        self._threads = ThreadPoolExecutor(_SENDING_THREADS, thread_name_prefix="send")
        connection = partial(Connection, sender=FileSender(self._threads, _IDLE_SECONDS), answer_now=answer_now)
        config = Config(
            cast("ASGIApplication", app),
            host=host,
            port=port,
            interface="asgi3",
            http=cast("type[Connection]", connection),
            ws="websockets-sansio",
            ws_max_size=_MESSAGE_LIMIT,
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
        """Whether connections are taken."""
        return self._server.started and not self._server.should_exit

    async def serve(self) -> None:
        """Serve until ``stop``, and then until the requests that run have ended.

        Raises:
            SystemExit: the address cannot be listened on.
        """
        try:
            await self._server.serve()
        finally:
            self._threads.shutdown()

    def stop(self) -> None:
        """Take no more connections, and have ``serve`` return."""
        self._server.should_exit = True


class _Server(Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave signals to the process."""
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop without turning away anybody who had been let in.

        Closing a socket that listens resets the connections that wait in its queue, and uvicorn closes those that have
        not sent their request yet. Behind a gateway, both have a request on its way.
        """
        await self._take_the_last()
        for _ in range(50):
            if all(getattr(each, "cycle", each) is not None for each in self.server_state.connections):
                break
            await asyncio.sleep(_LAST_HEAD_SECONDS / 50)
        await super().shutdown(sockets)
        # After the grace uvicorn cancels what runs, but neither waits for it nor closes its connections.
        for each in list(self.server_state.connections):
            each.transport.abort()
        if self.server_state.tasks:
            await asyncio.wait(set(self.server_state.tasks), timeout=_CANCELLED_SECONDS)

    async def _take_the_last(self) -> None:
        loop = asyncio.get_running_loop()
        listeners = [socket.socket(fileno=os.dup(each.fileno())) for server in self.servers for each in server.sockets]
        for server in self.servers:
            server.close()
        # The event loop closes its handles in its next turn; the duplicates keep the queue open until it is empty.
        await asyncio.sleep(0.01)
        taken: list[socket.socket] = []
        for listener in listeners:
            # None is left, or the process may have no more.
            with listener, contextlib.suppress(OSError):
                while True:
                    taken.append(listener.accept()[0])
        for connection in taken:
            connection.setblocking(False)
            with contextlib.suppress(OSError):
                await loop.connect_accepted_socket(self._new_connection, connection)

    def _new_connection(self) -> asyncio.Protocol:
        protocol = cast("Callable[..., Connection]", self.config.http_protocol_class)
        return protocol(self.config, self.server_state, self.lifespan.state)
