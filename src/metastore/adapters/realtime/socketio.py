"""Messages to browsers over Socket.IO (protocol 5 on Engine.IO 4, by WebSocket or long polling).

Each socket is in two rooms, one for its user and one for its sign-in session. The entry point adds it to them once it
is authenticated. Clients only receive: a client that sends an event is disconnected. A connection that is not
authenticated within ``CONNECT_TIMEOUT`` seconds is closed, so that anonymous clients cannot accumulate idle
connections.

Rooms are kept in memory. A ``RedisFanOut`` forwards messages between processes. Without one, the server is made, and
its library imported, only when the first client connects.
"""

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING

from pydantic import JsonValue

from metastore.ports.realtime import session_of, session_room, user_room

if TYPE_CHECKING:
    # These import libraries that a process needs only for sockets, or with Redis.
    from metastore.adapters.realtime.fan_out import RedisFanOut
    from metastore.adapters.realtime.socket_server import SocketServer

NAMESPACE = "/"
CONNECT_TIMEOUT = 10.0
CLOSE_TIMEOUT = 3.0
"""Seconds to wait for open requests on shutdown."""


class SocketIoRealtime:
    """``Realtime`` with the Socket.IO server ``server``, which the entry point serves.

    A new connection must be authenticated within ``connect_within`` seconds. With a ``fan_out`` the instance must be
    created in a running event loop, because it starts listening to the other processes.
    """

    def __init__(self, *, connect_within: float = CONNECT_TIMEOUT, fan_out: "RedisFanOut | None" = None) -> None:
        self.fan_out = fan_out
        self._connect_within = connect_within
        self._server: SocketServer | None = None
        self._connected = asyncio.Event()
        self._closed = False
        self._tasks: set[asyncio.Task[None]] = set()
        if fan_out is not None:
            fan_out.close_local_room = self._close_local_room
            # Otherwise the library would start listening only with the first connection.
            self.server.manager_initialized = True
            fan_out.initialize()

    @property
    def server(self) -> "SocketServer":
        """The Socket.IO server. The first use makes it and imports its library."""
        if self._server is None:
            from metastore.adapters.realtime.socket_server import SocketServer  # noqa: PLC0415

            self._server = SocketServer(self, self.fan_out)
            self._server.closing = self._closed
        return self._server

    async def emit_to_user(self, user_id: str, event: str, data: JsonValue) -> None:
        """Send to the user's room."""
        if self._server is not None:
            await self._server.emit(event, data, room=user_room(user_id), namespace=NAMESPACE)

    async def close_session(self, session_id: str) -> None:
        """Disconnect the session's room."""
        await self._close_room(session_room(session_id))

    async def close_user(self, user_id: str) -> None:
        """Disconnect the user's room."""
        await self._close_room(user_room(user_id))

    def open_sessions(self) -> set[str]:
        """Return the sign-in sessions of the sockets in this process."""
        rooms = self._server.manager.rooms.get(NAMESPACE, {}) if self._server else {}
        return {session for room in rooms if room and (session := session_of(room))}

    async def close_local_session(self, session_id: str) -> None:
        """Disconnect the session's sockets in this process."""
        await self._close_local_room(session_room(session_id))

    async def aclose(self) -> None:
        """Disconnect all clients. Call it before stopping the web server, which would wait for open connections."""
        if self._closed:
            return
        self._closed = True
        if self._server is not None:
            await self._shut_down(self._server)

    async def _shut_down(self, server: "SocketServer") -> None:
        server.closing = True
        for task in self._tasks:
            task.cancel()
        manager = server.manager
        await self._close([(manager.sid_from_eio_sid(t, NAMESPACE), t) for t in list(server.eio.sockets)])
        if server.requests:
            await asyncio.wait(server.requests, timeout=CLOSE_TIMEOUT)
        await server.shutdown()
        if self.fan_out is not None:
            await self.fan_out.aclose()

    async def close_socket(self, socket: str) -> None:
        """Disconnect one socket."""
        await self._close(self._in_room(socket))

    async def wait_for_any(self) -> None:
        """Return as soon as there is an open connection."""
        while self._server is None or not self._server.eio.sockets:
            self._connected.clear()
            await self._connected.wait()

    def connection_opened(self, transport: str) -> None:
        """Close the new connection ``transport`` unless a socket is admitted on it in time."""
        self._connected.set()
        task = asyncio.create_task(self._close_unless_admitted(transport, self._connect_within))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _close_unless_admitted(self, transport: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        socket = self.server.manager.sid_from_eio_sid(transport, NAMESPACE)
        if socket is None or not self.server.manager.is_connected(socket, NAMESPACE):
            await self._close([(socket, transport)])

    async def _close_room(self, room: str) -> None:
        await self._close_local_room(room)
        if self.fan_out is not None:
            await self.fan_out.close_room(room)

    async def _close_local_room(self, room: str) -> None:
        await self._close(self._in_room(room))

    def _in_room(self, room: str) -> list[tuple[str | None, str]]:
        return list(self._server.manager.get_participants(NAMESPACE, room)) if self._server else []

    async def _close(self, sockets: Iterable[tuple[str | None, str]]) -> None:
        await asyncio.gather(*(self._close_one(socket, transport) for socket, transport in sockets))

    async def _close_one(self, socket: str | None, transport: str) -> None:
        if socket is not None:
            # Tells the client that the server disconnected it, so that it does not reconnect.
            await self.server.disconnect(socket, namespace=NAMESPACE)
        connection = self.server.eio.sockets.get(transport)
        if connection is not None:
            # The library's own close waits until the client has read everything, which a vanished client never does.
            # The None closes the connection even if the client keeps it open.
            await connection.close(wait=False)
            connection.queue.put_nowait(None)
