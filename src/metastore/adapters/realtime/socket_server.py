"""The Socket.IO server of ``SocketIoRealtime``. This module imports the library, which takes a third of a second."""

import asyncio
from typing import TYPE_CHECKING, Any, Protocol

import socketio  # type: ignore[import-untyped]  # the package has no types
import socketio.packet  # type: ignore[import-untyped]  # the package has no types
import structlog
from starlette.types import Receive, Scope, Send

if TYPE_CHECKING:
    from metastore.adapters.realtime.fan_out import RedisFanOut  # Imports the driver, which few deployments need.

MAX_MESSAGE = 16 * 1024
PING_INTERVAL = 25
PING_TIMEOUT = 20
_log = structlog.get_logger(__name__)


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
            # The library's monitor wakes up for each socket, hundreds of times a second with thousands of them.
            monitor_clients=False,
        )
        self._connections = connections
        self.on("*", self._reject_event)
        self.closing = False
        self.requests: set[asyncio.Task[Any]] = set()
        self._monitor: asyncio.Task[None] | None = None

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
        if self._monitor is None or self._monitor.done():
            self._monitor = asyncio.create_task(self._end_silent_connections())

    async def _handle_eio_disconnect(self, eio_sid: str, reason: str) -> None:
        await super()._handle_eio_disconnect(eio_sid, reason)
        transport = self.eio.sockets.get(eio_sid)
        if transport is not None and reason == self.reason.CLIENT_DISCONNECT:
            # Ends the pending long poll of a client that disconnected; the library would leave it waiting.
            transport.queue.put_nowait(None)

    async def _end_silent_connections(self) -> None:
        """End the connections that did not respond to their last ping, while there are any connections."""
        while self.eio.sockets:
            await asyncio.sleep(self.eio.ping_timeout)
            for transport, connection in list(self.eio.sockets.items()):
                if connection.closed:
                    self.eio.sockets.pop(transport, None)
                elif not connection.closing:
                    try:
                        await connection.check_ping_timeout()
                    except Exception:  # noqa: BLE001  the others are still to be checked
                        _log.exception("silent connection not ended")

    async def shutdown(self) -> None:
        """End the server's own tasks."""
        if self._monitor is not None:
            self._monitor.cancel()
        await super().shutdown()

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
