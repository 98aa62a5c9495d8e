"""A connection: uvicorn's protocol class, extended by limits, direct transfers, ready responses and passing on."""

import asyncio
import json
import re
from typing import Any, cast
from urllib.parse import unquote

from httptools import HttpRequestParser
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from metastore.entrypoints.server.direct_transfer import DirectBody, FileSender, duplicate_socket
from metastore.entrypoints.server.heads import HeadEnds, head_of, path_of
from metastore.entrypoints.server.passing import Neighbour
from metastore.entrypoints.server.ready_response import ReadyResponder, ReadyResponse
from metastore.entrypoints.server.request_cycle import RequestCycle
from metastore.kit.problems.problem import Problem
from metastore.kit.problems.problem_codes import ProblemCode

HEAD_LIMIT = 64 * 2**10
"""Bytes of a request's first line and headers."""
HEAD_SECONDS = 30.0
"""Seconds in which a complete head must arrive."""
WRITE_SECONDS = 30.0
"""Seconds in which a client must read some of the data waiting for it."""
PIPELINE_LIMIT = 1000
"""Requests that a client may send before it gets the responses to earlier ones."""
QUIET_LIMIT = 512 * 2**10
"""Bytes of a request's body that carry no content: chunk extensions and trailers."""
LINGER_BYTES = 512 * 2**20
LINGER_SECONDS = 20.0
"""Limits on the rest of a body that is read and discarded after the response."""

_HOST = re.compile(rb"[A-Za-z0-9._:%\[\]-]+")
_HEAD_TOO_LARGE = Problem(431, ProblemCode.HEADERS_TOO_LARGE, f"The header fields can have at most {HEAD_LIMIT} bytes.")
_INVALID_HOST = Problem(400, ProblemCode.BAD_REQUEST, "A request must have exactly one Host field.")


class Connection(HttpToolsProtocol):
    """The extended protocol class, which the package describes."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        sender: FileSender,
        ready_response: ReadyResponder | None,
        neighbour: Neighbour | None = None,
        received: bytes = b"",
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._sender = sender
        self._responder = ready_response
        self._timer: asyncio.TimerHandle | None = None
        self._running: RequestCycle | None = None
        self._write_timer: asyncio.TimerHandle | None = None
        self._upgraded = False
        self._in_head = False
        self._heads_begun = 0
        self._head_size = 0
        self._quiet_bytes = 0
        self._is_handled = False
        self._lingering = False
        self._linger_budget = 0
        self._close_after_body = False
        self._unread_bytes = 0
        self._received_size = 0
        self._neighbour = neighbour
        self._head_ends = HeadEnds()
        self._received_elsewhere = received
        self._to_pass: bytes | None = None

    # --- called by the transport ---

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Start the timer for the first head."""
        super().connection_made(transport)
        self._set_timer(HEAD_SECONDS)
        if self._received_elsewhere:
            self.loop.call_soon(self.data_received, b"")

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the timers and notify the request that is being processed."""
        self._cancel_timer()
        self._cancel_write_timer()
        self.pipeline.clear()
        if self._running is not None and not self._running.response_complete:
            # uvicorn notifies only the latest request, which may still be queued.
            self._running.disconnected = True
            self._running.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse data from the client and enforce the limits."""
        if self._received_elsewhere:
            data, self._received_elsewhere = self._received_elsewhere + data, b""
        if not data or self.transport.is_closing():
            return
        if self._neighbour is None:
            self._parse(data)
            return
        for piece in self._head_ends.split(data):
            if self._to_pass is not None:
                self._to_pass += piece
            elif not self._upgraded and not self.transport.is_closing():
                self._parse(piece)
        self._pass_on()

    def _parse(self, data: bytes) -> None:
        if self._lingering and not self._may_linger(len(data)):
            self.transport.close()
            return
        if self._unread_bytes:
            return
        is_first = self._is_idle() and not self._in_head
        self._heads_begun = 0
        self._quiet_bytes += len(data)
        self._received_size = len(data)
        super().data_received(data)
        if self._upgraded:
            return
        if not self._heads_begun or (is_first and self._heads_begun == 1):
            # A head that begins in the middle of the data is counted from the next call on.
            self._head_size += len(data)
        if self._in_head and self._head_size > HEAD_LIMIT:
            self._refuse(_HEAD_TOO_LARGE)
        elif self._quiet_bytes > QUIET_LIMIT and not self._is_idle():
            self.transport.abort()
        elif self._timer is None and self.timeout_keep_alive_task is None and self._is_idle():
            self._set_timer(HEAD_SECONDS if self._in_head else self.timeout_keep_alive)

    def handle_websocket_upgrade(self) -> None:
        """Pass the transport to the WebSocket protocol."""
        self._upgraded = True
        super().handle_websocket_upgrade()

    def pause_writing(self) -> None:
        """Start the timer for a client that does not read."""
        super().pause_writing()
        self._watch_writing(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        """Stop the timer for a client that does not read."""
        self._cancel_write_timer()
        super().resume_writing()
        if self._to_pass is not None:
            self.loop.call_soon(self._pass_on)

    def shutdown(self) -> None:
        """Close the connection after the request in progress; one that is about to be passed on stays open."""
        if self._to_pass is None or not self._is_idle():
            super().shutdown()

    def timeout_keep_alive_handler(self) -> None:
        """Close the connection; abort it when the client has not read everything."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            super().timeout_keep_alive_handler()

    def send_400_response(self, msg: str) -> None:
        """Refuse a request that is not valid HTTP."""
        self._refuse(Problem(400, ProblemCode.BAD_REQUEST, msg))

    # --- called by the parser ---

    def on_message_begin(self) -> None:
        """Start counting the size of a head."""
        self._in_head, self._head_size, self._is_handled = True, 0, False
        self._heads_begun += 1
        self._quiet_bytes = 0
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Collect a header. Trailers are ignored."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Refuse the request, send a ready response, or run the application."""
        self._in_head = False
        self._cancel_timer()
        if self.transport.is_closing():
            self._is_handled = True
        elif len(self.pipeline) >= PIPELINE_LIMIT:
            self._is_handled = True
            self.transport.abort()
        elif self._may_be_large() and sum(len(name) + len(value) for name, value in self.headers) > HEAD_LIMIT:
            self._refuse(_HEAD_TOO_LARGE)
        elif not self._has_valid_host():
            self._refuse(_INVALID_HOST)
        elif self._belongs_elsewhere():
            self._is_handled = True
            version = self.parser.get_http_version()
            self._to_pass = head_of(self.parser.get_method(), self.url, version, self.headers)
        elif self._responder is None or not self._respond_at_once(self._responder):
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Process a piece of the body, unless the request is already handled."""
        self._quiet_bytes = 0
        if not self._is_handled:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Finish the request's body."""
        if self._lingering:
            self._lingering = False
            self._cancel_timer()
            if self._close_after_body:
                self.transport.close()
            return
        if not self._is_handled:
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """Continue with the next request in the pipeline."""
        super().on_response_complete()
        if self.pipeline:
            # uvicorn resumes reading although requests are queued; the last of them will resume it.
            self.flow.pause_reading()
        elif self._to_pass is not None:
            self._pass_on()

    # --- connections of another process ---

    def _belongs_elsewhere(self) -> bool:
        if self._neighbour is None:
            return False
        is_websocket = self.parser.should_upgrade() and self._should_upgrade()
        return self._neighbour.serves(path_of(self.url), is_websocket=is_websocket)

    def _pass_on(self) -> None:
        """Pass the connection to the other process, as soon as all earlier responses have been written."""
        if self._to_pass is None or self._neighbour is None or self.transport.is_closing():
            return
        self.flow.pause_reading()
        self._cancel_timer()
        self._unset_keepalive_if_required()
        if self.pipeline or not self._is_idle():
            return
        if self.transport.get_write_buffer_size():
            self.transport.set_write_buffer_limits(high=0)  # calls ``resume_writing`` when everything is written
            return
        received, self._to_pass = self._to_pass, None
        self._neighbour.take(duplicate_socket(self.transport), received)
        # Closes this handle; the connection stays open, since the other process has one as well.
        self.transport.abort()

    # --- responses ---

    def _may_be_large(self) -> bool:
        """Return whether the head that has ended may exceed the limit: it began earlier, or with much data."""
        return not self._heads_begun or self._received_size > HEAD_LIMIT

    def _is_idle(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or cycle.response_complete

    def _has_valid_host(self) -> bool:
        # RFC 9112, 3.2: proxies and servers must agree on the host. Our absolute URLs begin with it.
        hosts = [value for name, value in self.headers if name == b"host"]
        if not hosts:
            return self.parser.get_http_version() == "1.0"
        return len(hosts) == 1 and _HOST.fullmatch(hosts[0]) is not None

    def _respond_at_once(self, responder: ReadyResponder) -> bool:
        if self.parser.get_method() != b"GET" or not self._is_idle() or self.flow.write_paused:
            return False
        headers = dict(self.headers)
        if b"content-length" in headers or b"transfer-encoding" in headers:
            return False
        if self.parser.should_upgrade() or not self.parser.should_keep_alive():
            return False
        path, _, query = self.url.partition(b"?")
        response = responder(unquote(path.decode("latin-1")), query, headers)
        if response is None:
            return False
        self._is_handled = True
        self.server_state.total_requests += 1
        self.transport.writelines((self._head_of(response), response.body))
        return True

    def _head_of(self, response: ReadyResponse) -> bytes:
        common = b"".join(b"%s: %s\r\n" % header for header in self.server_state.default_headers)
        return b"%s%s%s\r\n" % (STATUS_LINE[response.status], common, response.head)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:  # noqa: ANN401  uvicorn's own signature
        # uvicorn offers no way to choose the class of its cycles.
        cycle.__class__ = RequestCycle
        extended = cast("RequestCycle", cycle)
        extended.sender = self._sender
        extended.linger = self._linger
        extended.body_released = self._continue_after
        extended.offer_extensions()
        self._running = extended
        super()._start_asgi_task(cycle, app)

    def _continue_after(self, body: DirectBody) -> None:
        """Start a new parser after the application has released a direct body, which the old parser has not seen."""
        self._unread_bytes = body.on_the_wire
        if not body.left:
            self.parser = HttpRequestParser(self)
            self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does

    def _refuse(self, problem: Problem) -> None:
        self._is_handled, self._in_head = True, False
        if not self._is_idle() or self._lingering:
            # Another response is being sent or was sent; the client would take this one for a part of it.
            self.transport.abort()
            return
        body = json.dumps(problem.body("")).encode()
        head = b"content-type: application/problem+json\r\ncontent-length: %d\r\nconnection: close\r\n" % len(body)
        self.transport.write(self._head_of(ReadyResponse(problem.status, head, b"")) + body)
        self.transport.close()

    # --- timers ---

    def _linger(self, *, close: bool) -> None:
        """Read and discard the rest of the body after an early response, so that the client sees the response."""
        self._unset_keepalive_if_required()
        self._lingering, self._close_after_body = True, close
        self._linger_budget = self._unread_bytes or LINGER_BYTES
        self._set_timer(LINGER_SECONDS)

    def _may_linger(self, size: int) -> bool:
        self._linger_budget -= size
        return self._linger_budget > 0

    def _watch_writing(self, waiting: int) -> None:
        self._cancel_write_timer()
        self._write_timer = self.loop.call_later(WRITE_SECONDS, self._check_writing, waiting)

    def _check_writing(self, before: int) -> None:
        waiting = self.transport.get_write_buffer_size()
        if waiting >= before:
            self.transport.abort()
        else:
            self._watch_writing(waiting)

    def _cancel_write_timer(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def _set_timer(self, seconds: float) -> None:
        self._cancel_timer()
        self._timer = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
