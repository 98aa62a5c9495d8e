"""A request and its response: uvicorn's cycle, extended by direct transfers."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, cast

from starlette.types import Message
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from metastore.entrypoints.server.direct_transfer import ClientTooSlowError, DirectBody, FileSender

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application, ASGIReceiveEvent, ASGISendEvent

ZERO_COPY = "http.response.zerocopysend"
BODY = "metastore.body"
BODY_IDLE_SECONDS = 30.0
BODY_SECONDS = 60.0
BODY_RATE = 1024
"""A client must send something within the idle time and, after the first minute, this many bytes a second."""


class Linger(Protocol):
    """Keep reading after a response that was sent before the end of the body."""

    def __call__(self, *, close: bool) -> None:
        """Read until the end of the body; ``close`` the connection then."""
        ...


class RequestCycle(RequestResponseCycle):
    """A request and its response. The connection sets the public attributes after it changes the class.

    Attributes:
        sender: Sends files.
        linger: Keeps reading after an early response.
        body_released: Called when the application releases the body that it took.
    """

    sender: FileSender
    linger: Linger
    body_released: Callable[[DirectBody], None]

    _taken: DirectBody | None = None
    _has_received = False
    _body_began: float | None = None
    _body_size = 0

    def offer_extensions(self) -> None:
        """Add the extensions to the ASGI scope."""
        self.scope["extensions"] = {ZERO_COPY: {}, BODY: {"take": self.take_body}}

    def take_body(self) -> DirectBody | None:
        """Return the body as a ``DirectBody``.

        Returns ``None`` when all of it has arrived, when its length is unknown, or when part of it was received
        already.
        """
        length = self._content_length()
        if length is None or not self.more_body or self.disconnected or self._taken is not None or self._has_received:
            return None
        received, self.body = bytes(self.body), bytearray()
        self.flow.pause_reading()
        if self.waiting_for_100_continue:
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.waiting_for_100_continue = False
        self._taken = DirectBody(self.transport, received, length, self._release_body)
        return self._taken

    async def receive(self) -> "ASGIReceiveEvent":
        """Return the next piece of the body, or a disconnect when the client is too slow."""
        self._has_received = True
        if not self.more_body or self.disconnected or self.response_complete:
            return await super().receive()
        now = asyncio.get_running_loop().time()
        self._body_began = self._body_began or now
        deadline = min(now + BODY_IDLE_SECONDS, self._body_began + BODY_SECONDS + self._body_size / BODY_RATE)
        try:
            async with asyncio.timeout_at(deadline):
                message = await super().receive()
        except TimeoutError:
            self._abort()
            return {"type": "http.disconnect"}
        self._body_size += len(cast("Message", message).get("body", b""))
        return message

    def _abort(self) -> None:
        self.disconnected = True
        self.transport.abort()

    def _content_length(self) -> int | None:
        value = next((value for name, value in self.scope["headers"] if name == b"content-length"), b"")
        return int(value) if value.isdigit() else None

    def _release_body(self, body: DirectBody) -> None:
        if body.sender_is_gone:
            self._abort()
        elif not body.left:
            self.more_body = False
            self.message_event.set()
        self.body_released(body)

    async def run_asgi(self, app: "ASGI3Application") -> None:
        """Run the application, and release a direct body that it has not released."""
        try:
            await super().run_asgi(app)
        finally:
            if self._taken is not None:
                self._taken.close()

    async def send(self, message: "ASGISendEvent") -> None:
        """Send the next piece of the response."""
        kind: str = message["type"]
        if kind == ZERO_COPY:
            await self._send_file(cast("Message", message))
        elif kind == "http.response.start":
            self._decide_keep_alive()
            await super().send(message)
        elif self.more_body and not cast("Message", message).get("more_body", False):
            await self._end_before_body(message)
        else:
            await super().send(message)

    def _decide_keep_alive(self) -> None:
        if self.waiting_for_100_continue:
            # The client was not asked for the body and may omit it: the next bytes are ambiguous.
            self.keep_alive = self.more_body = False
        elif self._taken is not None and self._taken.left:
            self.keep_alive = False

    async def _end_before_body(self, message: "ASGISendEvent") -> None:
        close, self.keep_alive = not self.keep_alive, True
        await super().send(message)
        if self.disconnected:
            return
        if self.more_body:
            self.linger(close=close)
        elif close:  # the body ended while the response was waiting to be read
            self.transport.close()

    async def _flush(self) -> None:
        self.transport.set_write_buffer_limits(high=0)
        await self.flow.drain()
        if self.disconnected:
            raise ConnectionResetError
        self.transport.set_write_buffer_limits()

    async def _send_file(self, message: Message) -> None:
        if self.disconnected:
            return
        offset, count = message.get("offset") or 0, message["count"]
        if count > self.expected_content_length:
            raise RuntimeError("the file is longer than the Content-Length")
        try:
            await self._flush()
            await self.sender.send(self.transport, message["file"], offset, count)
        except (ConnectionError, ClientTooSlowError):
            self._abort()
            return
        except asyncio.CancelledError:
            self.transport.abort()
            raise
        self.expected_content_length -= count
        if not message.get("more_body", False):
            await self.send({"type": "http.response.body", "body": b"", "more_body": False})
