"""Messages to browsers over Socket.IO (protocol 5 on Engine.IO 4, by WebSocket or long polling).

Each socket is in two rooms, one for its user and one for its sign-in session. The entry point adds it to them once it
is authenticated. Clients only receive: a client that sends an event is disconnected. Messages from clients are limited
to ``MAX_MESSAGE`` bytes. A connection that is not authenticated within ``CONNECT_TIMEOUT`` seconds is closed, so that
anonymous clients cannot accumulate idle connections.

Rooms are kept in memory. A ``RedisFanOut`` forwards messages between processes.
"""

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import socketio  # type: ignore[import-untyped]  # the package has no types
import socketio.packet  # type: ignore[import-untyped]  # the package has no types
from pydantic import JsonValue
from starlette.types import Receive, Scope, Send

from metastore.ports.realtime import session_of, session_room, user_room

if TYPE_CHECKING:
    from metastore.adapters.realtime.fan_out import RedisFanOut  # Imports the driver, which few deployments need.

NAMESPACE = "/"
MAX_MESSAGE = 16 * 1024
PING_INTERVAL = 25
PING_TIMEOUT = 20
CONNECT_TIMEOUT = 10.0
CLOSE_TIMEOUT = 3.0
"""Seconds to wait for open requests on shutdown."""


class SocketIoRealtime:
    """``Realtime`` with the Socket.IO application ``server``, which the entry point serves.

    A new connection must be authenticated within ``connect_within`` seconds. With a ``fan_out`` the instance must be
    created in a running event loop, because it starts listening to the other processes.
    """

    def __init__(self, *, connect_within: float = CONNECT_TIMEOUT, fan_out: "RedisFanOut | None" = None) -> None:
        self.server = _Server(self, connect_within, fan_out)
        self.fan_out = fan_out
        self._tasks: set[asyncio.Task[None]] = set()
        if fan_out is not None:
            fan_out.close_local_room = self._close_local_room
            # Otherwise the library would start listening only with the first connection.
            self.server.manager_initialized = True
            fan_out.initialize()

    async def emit_to_user(self, user_id: str, event: str, data: JsonValue) -> None:
        """Send to the user's room."""
        await self.server.emit(event, data, room=user_room(user_id), namespace=NAMESPACE)

    async def close_session(self, session_id: str) -> None:
        """Disconnect the session's room."""
        await self._close_room(session_room(session_id))

    async def close_user(self, user_id: str) -> None:
        """Disconnect the user's room."""
        await self._close_room(user_room(user_id))

    def open_sessions(self) -> set[str]:
        """Return the sign-in sessions of the sockets in this process."""
        rooms = self.server.manager.rooms.get(NAMESPACE, {})
        return {session for room in rooms if room and (session := session_of(room))}

    async def close_local_session(self, session_id: str) -> None:
        """Disconnect the session's sockets in this process."""
        await self._close_local_room(session_room(session_id))

    async def aclose(self) -> None:
        """Disconnect all clients. Call it before stopping the web server, which would wait for open connections."""
        if self.server.closing:
            return
        self.server.closing = True
        for task in self._tasks:
            task.cancel()
        manager = self.server.manager
        await self._close([(manager.sid_from_eio_sid(t, NAMESPACE), t) for t in list(self.server.eio.sockets)])
        if self.server.requests:
            await asyncio.wait(self.server.requests, timeout=CLOSE_TIMEOUT)
        await self.server.shutdown()
        if self.fan_out is not None:
            await self.fan_out.aclose()

    async def close_socket(self, socket: str) -> None:
        """Disconnect one socket."""
        await self._close(self._in_room(socket))

    def close_unless_admitted(self, transport: str, seconds: float) -> None:
        """Close the connection ``transport`` after ``seconds`` unless a socket was admitted on it."""
        task = asyncio.create_task(self._close_unless_admitted(transport, seconds))
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
        return list(self.server.manager.get_participants(NAMESPACE, room))

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


class _Server(socketio.AsyncServer):  # type: ignore[misc]  # the package has no types
    """The Socket.IO server with the limits of this module.

    The entry point checks origins. ``cors_allowed_origins=[]`` keeps the library from checking them and from sending
    CORS headers.
    """

    def __init__(self, realtime: SocketIoRealtime, connect_within: float, fan_out: "RedisFanOut | None") -> None:
        super().__init__(
            client_manager=fan_out,
            async_mode="asgi",
            cors_allowed_origins=[],
            max_http_buffer_size=MAX_MESSAGE,
            ping_interval=PING_INTERVAL,
            ping_timeout=PING_TIMEOUT,
            serializer=_ReceiveOnlyPacket,
            http_compression=False,
        )
        self._realtime = realtime
        self._connect_within = connect_within
        self.on("*", self._reject_event)
        self.closing = False
        self.requests: set[asyncio.Task[Any]] = set()

    async def handle_request(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection or poll, or reject it during shutdown."""
        if self.closing:
            await _reject(scope, receive, send)
            return
        task = asyncio.current_task()
        if task is not None:
            self.requests.add(task)
            task.add_done_callback(self.requests.discard)
        await super().handle_request(scope, receive, send)

    async def _handle_eio_connect(self, eio_sid: str, environ: dict[str, Any]) -> None:
        await super()._handle_eio_connect(eio_sid, environ)
        self._realtime.close_unless_admitted(eio_sid, self._connect_within)

    async def _handle_eio_disconnect(self, eio_sid: str, reason: str) -> None:
        await super()._handle_eio_disconnect(eio_sid, reason)
        transport = self.eio.sockets.get(eio_sid)
        if transport is not None and reason == self.reason.CLIENT_DISCONNECT:
            # Ends the pending long poll of a client that disconnected; the library would leave it waiting.
            transport.queue.put_nowait(None)

    async def _reject_event(self, _event: str, socket: str, *_data: object) -> None:
        await self._realtime.close_socket(socket)


class _ReceiveOnlyPacket(socketio.packet.Packet):  # type: ignore[misc]  # the package has no types
    """A packet that never has attachments.

    A binary event announces attachments, which the library would buffer without limit before handling the event. Here
    it is treated as a plain event at once, and rejected as one.
    """

    packet_type: int

    def decode(self, encoded_packet: str) -> int:
        """Decode a packet and return its number of attachments, which is always 0."""
        super().decode(encoded_packet)
        if self.packet_type in (socketio.packet.BINARY_EVENT, socketio.packet.BINARY_ACK):
            self.packet_type = socketio.packet.EVENT
            self.data = ["binary"]
        return 0


async def _reject(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1001})
        return
    await send({"type": "http.response.start", "status": 503, "headers": [(b"retry-after", b"2")]})
    await send({"type": "http.response.body", "body": b""})
