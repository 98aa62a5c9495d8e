"""One connection: uvicorn's protocol class with bounds and the ways that the package adds."""

import asyncio
import json
import re
from typing import Any, cast
from urllib.parse import unquote

from httptools import HttpRequestParser
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from metastore.entrypoints.server.answers import AnswerNow, ReadyAnswer
from metastore.entrypoints.server.cycle import Cycle
from metastore.entrypoints.server.direct import DirectBody, FileSender
from metastore.kit.problem import Problem
from metastore.kit.problem_codes import ProblemCode

HEAD_LIMIT = 64 * 2**10
"""Bytes of a request's first line and headers."""
HEAD_SECONDS = 30.0
"""A head takes no longer than this."""
WRITE_SECONDS = 30.0
"""A client takes something of what is waiting for it within this time."""
PIPELINE_LIMIT = 1000
"""Requests that a client may send ahead of their answers."""
QUIET_LIMIT = 512 * 2**10
"""Bytes of a body that bring no body: extensions of chunks, and trailers."""
LINGER_BYTES = 512 * 2**20
LINGER_SECONDS = 20.0
"""A body that goes on for longer than that after its answer is no longer a mistake, but load."""

_HOST = re.compile(rb"[A-Za-z0-9._:%\[\]-]+")
_HEAD_TOO_LARGE = Problem(431, ProblemCode.HEADERS_TOO_LARGE, f"The header fields can have at most {HEAD_LIMIT} bytes.")
_WITHOUT_HOST = Problem(400, ProblemCode.BAD_REQUEST, "A request must have exactly one Host field.")


class Connection(HttpToolsProtocol):
    """See the module."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        sender: FileSender,
        answer_now: AnswerNow | None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._sender = sender
        self._quick = answer_now
        self._timer: asyncio.TimerHandle | None = None
        self._running: Cycle | None = None
        self._write_timer: asyncio.TimerHandle | None = None
        self._upgraded = False
        self._in_head = False
        self._heads_begun = 0
        self._head_size = 0
        self._quiet = 0
        self._is_dealt_with = False
        self._lingering = False
        self._linger_budget = 0
        self._close_after_body = False
        self._not_taken = 0

    # --- the transport's side ---

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Begin."""
        super().connection_made(transport)
        self._give_time(HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._end_time()
        self._end_write_timer()
        self.pipeline.clear()
        if self._running is not None and not self._running.response_complete:
            # uvicorn tells the latest request alone, which may still be waiting for its turn.
            self._running.disconnected = True
            self._running.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came in."""
        if self._lingering and not self._may_linger(len(data)):
            self.transport.close()
            return
        if self._not_taken:
            return
        is_fresh = self._is_idle() and not self._in_head
        self._heads_begun = 0
        self._quiet += len(data)
        super().data_received(data)
        if self._upgraded:
            return
        if not self._heads_begun or (is_fresh and self._heads_begun == 1):
            # Else it began somewhere within the data, and is counted from the next on.
            self._head_size += len(data)
        if self._in_head and self._head_size > HEAD_LIMIT:
            self._refuse(_HEAD_TOO_LARGE)
        elif self._quiet > QUIET_LIMIT and not self._is_idle():
            self.transport.abort()
        elif self._timer is None and self.timeout_keep_alive_task is None and self._is_idle():
            self._give_time(HEAD_SECONDS if self._in_head else self.timeout_keep_alive)

    def handle_websocket_upgrade(self) -> None:
        """Hand the transport over; from here on it has another protocol."""
        self._upgraded = True
        super().handle_websocket_upgrade()

    def pause_writing(self) -> None:
        """The client does not take what is sent; it has some time to."""
        super().pause_writing()
        self._watch_writing(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        """It took it."""
        self._end_write_timer()
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        """Time is over; what the client did not take by now it will not."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            super().timeout_keep_alive_handler()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP."""
        self._refuse(Problem(400, ProblemCode.BAD_REQUEST, msg))

    # --- the parser's side ---

    def on_message_begin(self) -> None:
        """A head begins."""
        self._in_head, self._head_size, self._is_dealt_with = True, 0, False
        self._heads_begun += 1
        self._quiet = 0
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header came in. Trailers, which come after the body, mean nothing to us."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Answer at once, or have the application run."""
        self._in_head = False
        self._end_time()
        if self.transport.is_closing():
            self._is_dealt_with = True
        elif len(self.pipeline) >= PIPELINE_LIMIT:
            self._is_dealt_with = True
            self.transport.abort()
        elif sum(len(name) + len(value) for name, value in self.headers) > HEAD_LIMIT:
            self._refuse(_HEAD_TOO_LARGE)
        elif not self._names_a_host():
            self._refuse(_WITHOUT_HOST)
        elif self._quick is None or not self._answer_now(self._quick):
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Some of the body came in."""
        self._quiet = 0
        if not self._is_dealt_with:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The body is complete."""
        if self._lingering:
            self._lingering = False
            self._end_time()
            if self._close_after_body:
                self.transport.close()
            return
        if not self._is_dealt_with:
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """An answer is complete; go on with the next request."""
        super().on_response_complete()
        if self.pipeline:
            # uvicorn reads on although requests wait; the last of them resumes it.
            self.flow.pause_reading()

    # --- answers ---

    def _is_idle(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or cycle.response_complete

    def _names_a_host(self) -> bool:
        # RFC 9112, 3.2: servers in a row must not take a request for different hosts'. URLs that we make begin with it.
        hosts = [value for name, value in self.headers if name == b"host"]
        if not hosts:
            return self.parser.get_http_version() == "1.0"
        return len(hosts) == 1 and _HOST.fullmatch(hosts[0]) is not None

    def _answer_now(self, quick: AnswerNow) -> bool:
        if self.parser.get_method() != b"GET" or not self._is_idle() or self.flow.write_paused:
            return False
        headers = dict(self.headers)
        if b"content-length" in headers or b"transfer-encoding" in headers:
            return False
        if self.parser.should_upgrade() or not self.parser.should_keep_alive():
            return False
        path, _, query = self.url.partition(b"?")
        answer = quick(unquote(path.decode("latin-1")), query, headers)
        if answer is None:
            return False
        self._is_dealt_with = True
        self.server_state.total_requests += 1
        self.transport.writelines((self._head_of(answer), answer.body))
        return True

    def _head_of(self, answer: ReadyAnswer) -> bytes:
        common = b"".join(b"%s: %s\r\n" % header for header in self.server_state.default_headers)
        return b"%s%s%s\r\n" % (STATUS_LINE[answer.status], common, answer.head)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:  # noqa: ANN401  uvicorn's own signature
        # uvicorn has no say in which class its cycles are of.
        cycle.__class__ = Cycle
        ours = cast("Cycle", cycle)
        ours.sender = self._sender
        ours.linger = self._linger
        ours.body_taken = self._go_on_after
        ours.offer_extensions()
        self._running = ours
        super()._start_asgi_task(cycle, app)

    def _go_on_after(self, body: DirectBody) -> None:
        """The application lets go of a body that it took: the parser, which knows nothing of it, begins anew."""
        self._not_taken = body.on_the_wire
        if not body.left:
            self.parser = HttpRequestParser(self)
            self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does

    def _refuse(self, problem: Problem) -> None:
        self._is_dealt_with, self._in_head = True, False
        if not self._is_idle() or self._lingering:
            # An answer is on its way, or was given; another would be taken for a part of it.
            self.transport.abort()
            return
        body = json.dumps(problem.body("")).encode()
        head = b"content-type: application/problem+json\r\ncontent-length: %d\r\nconnection: close\r\n" % len(body)
        self.transport.write(self._head_of(ReadyAnswer(problem.status, head, b"")) + body)
        self.transport.close()

    # --- time ---

    def _linger(self, *, close: bool) -> None:
        """Read on until the body ends; see the package."""
        self._unset_keepalive_if_required()
        self._lingering, self._close_after_body = True, close
        self._linger_budget = self._not_taken or LINGER_BYTES
        self._give_time(LINGER_SECONDS)

    def _may_linger(self, size: int) -> bool:
        self._linger_budget -= size
        return self._linger_budget > 0

    def _watch_writing(self, waiting: int) -> None:
        self._end_write_timer()
        self._write_timer = self.loop.call_later(WRITE_SECONDS, self._check_writing, waiting)

    def _check_writing(self, before: int) -> None:
        waiting = self.transport.get_write_buffer_size()
        if waiting >= before:
            self.transport.abort()
        else:
            self._watch_writing(waiting)

    def _end_write_timer(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def _give_time(self, seconds: float) -> None:
        self._end_time()
        self._timer = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    def _end_time(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
