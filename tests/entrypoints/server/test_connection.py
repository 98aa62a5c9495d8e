"""What a connection does that a general server's would not."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from starlette.types import Message, Receive, Scope, Send

from metastore.entrypoints.server import BODY, ZERO_COPY, DirectBody, HttpServer, connection, cycle
from metastore.entrypoints.server.answers import ReadyAnswer
from metastore.ports.served_objects import SourceEndedError
from tests.fixtures.ports import free_port
from tests.fixtures.serving import serving
from tests.fixtures.waiting import eventually


class Wire:
    """A client that says exactly what it is told to."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer

    async def say(self, text: str | bytes) -> None:
        self.writer.write(text.encode() if isinstance(text, str) else text)
        await self.writer.drain()

    async def hear(self) -> tuple[int, dict[str, str], bytes]:
        """One answer: its status, headers and body."""
        async with asyncio.timeout(10):
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
            status = int(head[0].split()[1])
            body = await self._reader.readexactly(int(headers.get("content-length", 0)))
        return status, headers, body

    async def is_closed(self) -> bool:
        """Whether the server ends the connection, after at most ten seconds."""
        async with asyncio.timeout(10):
            try:
                return await self._reader.read(1) == b""
            except ConnectionError:
                return True


@asynccontextmanager
async def wire(url: str) -> AsyncIterator[Wire]:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rsplit(":", 1)[1]))
    try:
        yield Wire(reader, writer)
    finally:
        writer.close()


async def answer(send: Send, status: int, body: bytes = b"") -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


def take(scope: Scope) -> DirectBody | None:
    taken: DirectBody | None = scope["extensions"][BODY]["take"]()
    return taken


async def drink(body: DirectBody, enough: Callable[[int], bool] = lambda _: False) -> bytes:
    """All that comes, or until it is enough."""
    buffer, drunk = memoryview(bytearray(10_000)), bytearray()
    while body.left and not enough(len(drunk)):
        count = await asyncio.to_thread(body.read_into, buffer)
        drunk += buffer[:count]
        if not count:
            await body.readable()
    return bytes(drunk)


async def echoing(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the body, which it takes directly if it can."""
    body = take(scope)
    if body is None:
        received, more = bytearray(), True
        while more:
            message = await receive()
            received += message["body"]
            more = message["more_body"]
        await answer(send, 200, bytes(received))
        return
    try:
        drunk = await drink(body)
    finally:
        body.close()
    await answer(send, 200, drunk)


async def unwilling(scope: Scope, receive: Receive, send: Send) -> None:
    """Refuses every body without reading it."""
    await answer(send, 413, b"too much")


async def test_a_body_taken_directly_is_whole_and_http_goes_on_after_it() -> None:
    content = bytes(range(256)) * 4000
    async with serving(echoing) as url, wire(url) as client:
        for _ in range(3):
            await client.say(f"PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: {len(content)}\r\n\r\n")
            for start in range(0, len(content), 300_000):
                await client.say(content[start : start + 300_000])
            assert (200, content) == (await client.hear())[::2]
        await client.say("GET /b HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (200, b"") == (await client.hear())[::2]


async def test_what_follows_a_body_taken_directly_is_the_next_request() -> None:
    """Not a byte more than the body is taken from the socket."""
    async with serving(echoing) as url, wire(url) as client:
        await client.say("PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n")
        await client.say(
            b"a" * 200_000 + b"PUT /b HTTP/1.1\r\nHost: x\r\nContent-Length: 150000\r\n\r\n" + b"b" * 150_000
        )
        assert b"a" * 200_000 == (await client.hear())[2]
        assert b"b" * 150_000 == (await client.hear())[2]


async def test_a_slow_client_costs_no_thread() -> None:
    """While it rests, the event loop does the waiting."""
    async with serving(echoing) as url, wire(url) as client:
        await client.say("PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n")
        for letter in b"slow!":
            await asyncio.sleep(0)
            await client.say(bytes([letter]))
        assert (200, b"slow!") == (await client.hear())[::2]


async def test_a_client_that_hangs_up_ends_the_body() -> None:
    ended = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        body = take(scope)
        assert body
        with pytest.raises(SourceEndedError):
            await drink(body)
        body.close()
        ended.set()
        await answer(send, 400)

    async with serving(app) as url, wire(url) as client:
        await client.say(b"PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" + b"a" * 1000)
        client.writer.close()
        await eventually(ended.is_set)


async def test_a_body_of_which_some_is_left_is_not_taken_for_a_request() -> None:
    """The connection ends after the answer, which the client sees although it is still sending."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        body = take(scope)
        assert body
        await drink(body, enough=lambda size: size > 50_000)
        body.close()
        await answer(send, 400, b"stop")

    async with serving(app) as url, wire(url) as client:
        await client.say(b"PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n" + b"a" * 2_000_000)
        status, headers, body = await client.hear()
        assert (400, b"stop", "close") == (status, body, headers["connection"])
        smuggled = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
        await client.say(smuggled + b"a" * (1_000_000 - len(smuggled)))
        assert await client.is_closed()


@pytest.mark.parametrize("wish", ["", "Connection: close\r\n"])
async def test_a_refused_sender_sees_the_answer(wish: str) -> None:
    async with serving(unwilling) as url, wire(url) as client:
        await client.say(f"POST /a HTTP/1.1\r\nHost: x\r\n{wish}Content-Length: 5000000\r\n\r\n")
        for _ in range(5):
            await client.say(b"a" * 1_000_000)
        assert (413, b"too much") == (await client.hear())[::2]
        if wish:
            assert await client.is_closed()
        else:
            await client.say("POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
            assert 413 == (await client.hear())[0]


async def test_one_that_waits_to_be_asked_is_not_waited_for() -> None:
    """It may never send the body, so that nothing after the answer can be understood."""
    async with serving(unwilling) as url, wire(url) as client:
        await client.say("PUT /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5000000\r\n\r\n")
        assert 413 == (await client.hear())[0]
        assert await client.is_closed()


async def test_one_that_waits_to_be_asked_is_asked() -> None:
    async with serving(echoing) as url, wire(url) as client:
        await client.say("PUT /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 500000\r\n\r\n")
        assert 100 == (await client.hear())[0]
        await client.say(b"a" * 500_000)
        assert (200, b"a" * 500_000) == (await client.hear())[::2]


async def test_an_endless_body_after_the_answer_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "LINGER_BYTES", 1_000_000)
    async with serving(unwilling) as url, wire(url) as client:
        await client.say("POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        assert 413 == (await client.hear())[0]
        with pytest.raises(ConnectionError):
            await client.say((b"10000\r\n" + b"a" * 65_536 + b"\r\n") * 1000)


async def test_a_pause_after_the_answer_is_not_endless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "LINGER_SECONDS", 0.1)
    async with serving(unwilling) as url, wire(url) as client:
        await client.say("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000\r\n\r\n")
        assert 413 == (await client.hear())[0]
        assert await client.is_closed()


@pytest.mark.parametrize("begun", ["", "\r\n", "GET / HTTP/1.1\r\nHost"])
async def test_a_head_that_does_not_end_is_cut_off(begun: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.1)
    async with serving(unwilling) as url, wire(url) as client:
        await client.say(begun)
        assert await client.is_closed()


@pytest.mark.parametrize("ending", ["", "\r\n\r\n"])
async def test_a_head_too_large_is_refused(ending: str) -> None:
    async with serving(unwilling) as url, wire(url) as client:
        await client.say(f"GET / HTTP/1.1\r\nHost: x\r\nX-Large: {'a' * 70_000}{ending}")
        status, headers, body = await client.hear()
        assert (431, "headers-too-large") == (status, json.loads(body)["code"])
        assert "application/problem+json" == headers["content-type"]


async def test_what_is_not_http_is_told_so() -> None:
    async with serving(unwilling) as url, wire(url) as client:
        await client.say("HELO example.org\r\n\r\n")
        status, _, body = await client.hear()
        assert (400, "bad-request") == (status, json.loads(body)["code"])
        assert await client.is_closed()


class Library:
    """Sends a file by zero copy, and what it knows at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.ended = asyncio.Event()

    def answer_now(self, path: str, query: bytes, headers: Mapping[bytes, bytes]) -> ReadyAnswer | None:
        if path != "/at once":
            return None
        return ReadyAnswer(200, b"content-length: %d\r\n" % (len(query) + 1), query + b"!")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/at once":
            await answer(send, 200, scope["query_string"] + b"!")
            return
        size = self._path.stat().st_size
        headers = [(b"content-length", b"%d" % (size + 8))]
        try:
            with self._path.open("rb") as file:
                await send({"type": "http.response.start", "status": 200, "headers": headers})
                await send({"type": "http.response.body", "body": b"head", "more_body": True})
                piece: Message = {"type": ZERO_COPY, "file": file.fileno(), "offset": 0, "count": size}
                await send({**piece, "more_body": True})
                await send({"type": "http.response.body", "body": b"tail"})
        finally:
            self.ended.set()


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """With a file of 20 MB, which no socket's buffers hold."""
    (tmp_path / "file").write_bytes(bytes(range(250)) * 80_000)
    return Library(tmp_path / "file")


async def test_a_file_is_sent_between_other_bytes(library: Library) -> None:
    async with serving(library) as url, wire(url) as client:
        for _ in range(2):
            await client.say("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            status, _, body = await client.hear()
            assert (200, b"head" + bytes(range(250)) * 80_000 + b"tail") == (status, body)


async def test_many_read_files_at_once(library: Library) -> None:
    async def read(url: str) -> int:
        async with wire(url) as client:
            await client.say("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            return len((await client.hear())[2])

    async with serving(library) as url:
        assert {20_000_008} == set(await asyncio.gather(*[read(url) for _ in range(40)]))


async def test_one_that_does_not_take_a_file_is_cut_off(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("metastore.entrypoints.server.server._IDLE_SECONDS", 0.2)
    async with serving(library) as url, wire(url) as client:
        await client.say("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await eventually(library.ended.is_set)


async def test_one_that_hangs_up_on_a_file_is_forgotten(library: Library) -> None:
    async with serving(library) as url, wire(url) as client:
        await client.say("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await asyncio.sleep(0)
        client.writer.transport.abort()
        await eventually(library.ended.is_set)


async def test_answers_at_once_keep_their_order_among_others(library: Library) -> None:
    async with serving(library) as url, wire(url) as client:
        at_once = "GET /at%20once?{} HTTP/1.1\r\nHost: x\r\n\r\n"
        await client.say(
            at_once.format(1) + at_once.format(2) + "GET / HTTP/1.1\r\nHost: x\r\n\r\n" + at_once.format(3)
        )
        heard = [(await client.hear())[2] for _ in range(4)]
        assert [b"1!", b"2!", b"3!"] == [*heard[:2], heard[3]]
        assert 20_000_008 == len(heard[2])


async def test_an_answer_at_once_carries_the_date(library: Library) -> None:
    async with serving(library) as url, wire(url) as client:
        await client.say("GET /at%20once HTTP/1.1\r\nHost: x\r\n\r\n")
        assert "gmt" in (await client.hear())[1]["date"]


async def sleeping(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers only once the client is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def test_a_websocket_outlives_the_time_of_idle_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """What becomes a WebSocket is no idle HTTP connection."""
    monkeypatch.setattr("metastore.entrypoints.server.server._KEEP_ALIVE_SECONDS", 1)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await answer(send, 200)
            return
        await receive()
        await send({"type": "websocket.accept"})
        await asyncio.sleep(1.5)
        await send({"type": "websocket.send", "text": "still here"})

    upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    async with serving(app) as url, wire(url) as client:
        await client.say(f"GET / HTTP/1.1\r\nHost: x\r\n{upgrade}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        assert 101 == (await client.hear())[0]
        async with asyncio.timeout(10):
            assert b"still here" == (await client._reader.readexactly(12))[2:]


async def test_a_body_that_stalls_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cycle, "BODY_IDLE_SECONDS", 0.2)
    async with serving(sleeping) as url, wire(url) as client:
        await client.say("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\na")
        assert await client.is_closed()


async def test_a_body_that_drips_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cycle, "BODY_SECONDS", 0.2)
    async with serving(sleeping) as url, wire(url) as client:
        await client.say("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")

        async def is_cut_off() -> bool:
            await client.say("a")
            return client._reader.at_eof()

        with contextlib.suppress(ConnectionError):
            await eventually(is_cut_off)


async def test_one_that_does_not_take_its_answer_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "WRITE_SECONDS", 0.2)
    ended = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await answer(send, 200, bytes(30_000_000))
            await answer(send, 200)
        finally:
            ended.set()

    async with serving(app) as url, wire(url) as client:
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a transport that reads, too
        await client.say("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await client.say("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await eventually(ended.is_set)


async def test_trailers_bring_no_headers_and_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "QUIET_LIMIT", 100_000)
    seen: list[bytes] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.extend(name for name, _ in scope["headers"])
        await echoing(scope, receive, send)

    async with serving(app) as url, wire(url) as client:
        chunked = "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n"
        await client.say(chunked + "X-Forwarded-Proto: https\r\n\r\n")
        assert (200, b"a") == (await client.hear())[::2]
        assert {b"host", b"transfer-encoding"} == set(seen)
        await client.say(chunked)
        with contextlib.suppress(ConnectionError):
            for _ in range(100):
                await client.say("a: b\r\n" * 10_000)
        assert await client.is_closed()


async def test_requests_without_end_ahead_of_their_answers_are_cut_off() -> None:
    release = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await release.wait()

    async with serving(app) as url, wire(url) as client:
        with contextlib.suppress(ConnectionError):
            for _ in range(50):
                await client.say("GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 1000)
        release.set()
        assert await client.is_closed()


async def test_rubbish_behind_a_request_is_not_put_into_its_answer(library: Library) -> None:
    async with serving(library) as url, wire(url) as client:
        await client.say("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await client._reader.readexactly(1_000_000)
        await client.say("rubbish\r\n\r\n")
        rest = bytearray()
        with contextlib.suppress(ConnectionError):
            while piece := await client._reader.read(1_000_000):
                rest += piece
        assert b"HTTP/1.1" not in rest


async def test_the_server_stops_although_a_client_stalls() -> None:
    server = HttpServer(sleeping, host="127.0.0.1", port=(port := free_port()), grace=1)
    running = asyncio.create_task(server.serve())
    await eventually(lambda: server.is_listening)
    async with wire(f"http://127.0.0.1:{port}") as client:
        await client.say("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\na")
        await asyncio.sleep(0.05)
        server.stop()
        async with asyncio.timeout(10):
            await running


async def test_a_drip_does_not_hold_the_threads_of_others() -> None:
    """Each byte is taken in a moment; in between the thread is free."""
    turns: list[float] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        body = take(scope)
        assert body
        buffer = memoryview(bytearray(1000))

        def turn() -> None:
            began = time.monotonic()
            while body.left and body.read_into(buffer):
                pass
            turns.append(time.monotonic() - began)

        while body.left:
            await asyncio.to_thread(turn)
            if body.left:
                await body.readable()
        body.close()
        await answer(send, 200)

    async with serving(app) as url, wire(url) as client:
        await client.say("PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 300\r\n\r\n")
        for _ in range(300):
            await client.say("a")
            await asyncio.sleep(0.001)
        assert 200 == (await client.hear())[0]
    assert max(turns) < 0.2
