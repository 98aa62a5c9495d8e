"""Limits on the resources that a client can use."""

import asyncio
import contextlib
import time

import pytest
from starlette.types import Receive, Scope, Send

from deploy.local.ports import free_port
from metastore.entrypoints.server import HttpServer, connection, request_cycle
from tests.fixtures.http_server import serving
from tests.fixtures.raw_http import FileApp, echoing, raw_connection, send_response, take_body
from tests.fixtures.waiting import eventually


async def sleeping(scope: Scope, receive: Receive, send: Send) -> None:
    """Send no response, and return when the client disconnects."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def test_a_websocket_outlives_the_keep_alive_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    """A WebSocket is not an idle HTTP connection."""
    monkeypatch.setattr("metastore.entrypoints.server.server._KEEP_ALIVE_SECONDS", 1)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await send_response(send, 200)
            return
        await receive()
        await send({"type": "websocket.accept"})
        await asyncio.sleep(1.5)
        await send({"type": "websocket.send", "text": "still here"})

    upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    async with serving(app) as url, raw_connection(url) as client:
        await client.send(f"GET / HTTP/1.1\r\nHost: x\r\n{upgrade}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        assert 101 == (await client.read_response())[0]
        async with asyncio.timeout(60):
            assert b"still here" == (await client._reader.readexactly(12))[2:]


@pytest.mark.parametrize(
    ("hosts", "version", "status"),
    [
        ("", "1.1", 400),
        ("Host: x\r\nHost: x\r\n", "1.1", 400),
        ("Host: \r\n", "1.1", 400),
        ('Host: x"><script>/\r\n', "1.1", 400),
        ("Host: user@x\r\n", "1.1", 400),
        ("Host: drive_1.example.org:8080\r\n", "1.1", 200),
        ("Host: [::1]:8080\r\n", "1.1", 200),
        ("", "1.0", 200),
    ],
)
async def test_a_request_names_one_host(hosts: str, version: str, status: int) -> None:
    """Otherwise proxies and servers may disagree about the host, which is used in URLs."""
    async with serving(echoing) as url, raw_connection(url) as client:
        await client.send(f"GET / HTTP/{version}\r\n{hosts}\r\n")
        assert status == (await client.read_response())[0]


async def test_a_stalled_body_is_aborted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_cycle, "BODY_IDLE_SECONDS", 0.2)
    async with serving(sleeping) as url, raw_connection(url) as client:
        await client.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\na")
        assert await client.is_closed()


async def test_a_body_that_is_too_slow_is_aborted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_cycle, "BODY_SECONDS", 0.2)
    async with serving(sleeping) as url, raw_connection(url) as client:
        await client.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")

        async def is_aborted() -> bool:
            await client.send("a")
            return client._reader.at_eof()

        with contextlib.suppress(ConnectionError):
            await eventually(is_aborted)


async def test_a_client_that_does_not_read_the_response_is_disconnected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "WRITE_SECONDS", 0.2)
    ended = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await send_response(send, 200, bytes(30_000_000))
            await send_response(send, 200)
        finally:
            ended.set()

    async with serving(app) as url, raw_connection(url) as client:
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a transport that reads, too
        await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await eventually(ended.is_set)


async def test_trailers_are_ignored_and_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "QUIET_LIMIT", 100_000)
    seen: list[bytes] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.extend(name for name, _ in scope["headers"])
        await echoing(scope, receive, send)

    async with serving(app) as url, raw_connection(url) as client:
        chunked = "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n"
        await client.send(chunked + "X-Forwarded-Proto: https\r\n\r\n")
        assert (200, b"a") == (await client.read_response())[::2]
        assert {b"host", b"transfer-encoding"} == set(seen)
        await client.send(chunked)
        with contextlib.suppress(ConnectionError):
            for _ in range(100):
                await client.send("a: b\r\n" * 10_000)
        assert await client.is_closed()


async def test_an_endless_pipeline_is_aborted() -> None:
    release = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await release.wait()

    async with serving(app) as url, raw_connection(url) as client:
        with contextlib.suppress(ConnectionError):
            for _ in range(50):
                await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 1000)
        release.set()
        assert await client.is_closed()


async def test_garbage_after_a_request_does_not_corrupt_the_response(file_app: FileApp) -> None:
    async with serving(file_app) as url, raw_connection(url) as client:
        await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await client._reader.readexactly(1_000_000)
        await client.send("rubbish\r\n\r\n")
        rest = bytearray()
        with contextlib.suppress(ConnectionError):
            while piece := await client._reader.read(1_000_000):
                rest += piece
        assert b"HTTP/1.1" not in rest


async def test_the_server_stops_although_a_client_stalls() -> None:
    server = HttpServer(sleeping, host="127.0.0.1", port=(port := free_port()), grace=1)
    running = asyncio.create_task(server.serve())
    await eventually(lambda: server.is_listening)
    async with raw_connection(f"http://127.0.0.1:{port}") as client:
        await client.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\na")
        await asyncio.sleep(0.05)
        server.stop()
        async with asyncio.timeout(25):
            await running


async def test_a_slow_client_does_not_block_a_thread() -> None:
    """The thread is released between the bytes."""
    durations: list[float] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        body = take_body(scope)
        assert body
        buffer = memoryview(bytearray(1000))

        def read_available() -> None:
            began = time.monotonic()
            while body.left and body.read_into(buffer):
                pass
            durations.append(time.monotonic() - began)

        while body.left:
            await asyncio.to_thread(read_available)
            if body.left:
                await body.readable()
        body.close()
        await send_response(send, 200)

    async with serving(app) as url, raw_connection(url) as client:
        await client.send("PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 300\r\n\r\n")
        for _ in range(300):
            await client.send("a")
            await asyncio.sleep(0.001)
        assert 200 == (await client.read_response())[0]
    assert max(durations) < 0.2
