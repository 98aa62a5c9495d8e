"""The Socket.IO server of ``SocketIoRealtime``. This module imports the library, which takes a third of a second."""

import asyncio
from typing import TYPE_CHECKING, Any, Protocol

import socketio  # type: ignore[import-untyped]  # the package has no types
import socketio.packet  # type: ignore[import-untyped]  # the package has no types
from starlette.types import Receive, Scope, Send

if TYPE_CHECKING:
    from metastore.adapters.realtime.fan_out import RedisFanOut  # Imports the driver, which few deployments need.

MAX_MESSAGE = 16 * 1024
PING_INTERVAL = 25
PING_TIMEOUT = 20


class Connections(Protocol):
    """What decides about the server's connections."""

    def connection_opened(self, transport: str) -> None:
        """Handle a new connection."""
        ...

    async def close_socket(self, socket: str) -> None:
        """Disconnect one socket."""
        ...


class SocketServer(socketio.AsyncServer):  # type: ignore[misc]  # the package has no types
    """A Socket.IO server with the limits of this module, whose clients only receive.

    The entry point checks origins. ``cors_allowed_origins=[]`` keeps the library from checking them and from sending
    CORS headers.
    """

    def __init__(self, connections: Connections, fan_out: "RedisFanOut | None") -> None:
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
        self._connections = connections
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
        self._connections.connection_opened(eio_sid)

    async def _handle_eio_disconnect(self, eio_sid: str, reason: str) -> None:
        await super()._handle_eio_disconnect(eio_sid, reason)
        transport = self.eio.sockets.get(eio_sid)
        if transport is not None and reason == self.reason.CLIENT_DISCONNECT:
            # Ends the pending long poll of a client that disconnected; the library would leave it waiting.
            transport.queue.put_nowait(None)

    async def _reject_event(self, _event: str, socket: str, *_data: object) -> None:
        await self._connections.close_socket(socket)


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
