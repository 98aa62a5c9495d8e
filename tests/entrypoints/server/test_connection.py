"""What the extended protocol class adds to uvicorn's."""

import asyncio
import json

import pytest
from starlette.types import Receive, Scope, Send

from metastore.entrypoints.server import connection
from metastore.ports.served_objects import SourceEndedError
from tests.fixtures.http_server import serving
from tests.fixtures.raw_http import FileApp, echoing, raw_connection, read_body, rejecting, send_response, take_body
from tests.fixtures.waiting import eventually


async def test_a_direct_body_is_complete_and_http_continues() -> None:
    content = bytes(range(256)) * 4000
    async with serving(echoing) as url, raw_connection(url) as client:
        for _ in range(3):
            await client.send(f"PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: {len(content)}\r\n\r\n")
            for start in range(0, len(content), 300_000):
                await client.send(content[start : start + 300_000])
            assert (200, content) == (await client.read_response())[::2]
        await client.send("GET /b HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (200, b"") == (await client.read_response())[::2]


async def test_the_next_request_follows_a_direct_body() -> None:
    """Exactly the bytes of the body are read from the socket."""
    async with serving(echoing) as url, raw_connection(url) as client:
        await client.send("PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n")
        await client.send(
            b"a" * 200_000 + b"PUT /b HTTP/1.1\r\nHost: x\r\nContent-Length: 150000\r\n\r\n" + b"b" * 150_000
        )
        assert b"a" * 200_000 == (await client.read_response())[2]
        assert b"b" * 150_000 == (await client.read_response())[2]


async def test_a_slow_client_uses_no_thread_while_waiting() -> None:
    """The event loop waits instead."""
    async with serving(echoing) as url, raw_connection(url) as client:
        await client.send("PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n")
        for letter in b"slow!":
            await asyncio.sleep(0)
            await client.send(bytes([letter]))
        assert (200, b"slow!") == (await client.read_response())[::2]


async def test_a_disconnect_ends_the_body() -> None:
    ended = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        body = take_body(scope)
        assert body
        with pytest.raises(SourceEndedError):
            await read_body(body)
        body.close()
        ended.set()
        await send_response(send, 400)

    async with serving(app) as url, raw_connection(url) as client:
        await client.send(b"PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" + b"a" * 1000)
        client.writer.close()
        await eventually(ended.is_set)


async def test_the_rest_of_a_body_is_not_parsed_as_a_request() -> None:
    """The connection is closed after the response, which the client sees although it is still sending."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        body = take_body(scope)
        assert body
        await read_body(body, enough=lambda size: size > 50_000)
        body.close()
        await send_response(send, 400, b"stop")

    async with serving(app) as url, raw_connection(url) as client:
        await client.send(b"PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n" + b"a" * 2_000_000)
        status, headers, body = await client.read_response()
        assert (400, b"stop", "close") == (status, body, headers["connection"])
        smuggled = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
        await client.send(smuggled + b"a" * (1_000_000 - len(smuggled)))
        assert await client.is_closed()


@pytest.mark.parametrize("extra_header", ["", "Connection: close\r\n"])
async def test_a_client_sees_a_response_sent_before_the_end_of_its_body(extra_header: str) -> None:
    async with serving(rejecting) as url, raw_connection(url) as client:
        await client.send(f"POST /a HTTP/1.1\r\nHost: x\r\n{extra_header}Content-Length: 5000000\r\n\r\n")
        for _ in range(5):
            await client.send(b"a" * 1_000_000)
        assert (413, b"too much") == (await client.read_response())[::2]
        if extra_header:
            assert await client.is_closed()
        else:
            await client.send("POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
            assert 413 == (await client.read_response())[0]


async def test_a_refused_100_continue_closes_the_connection() -> None:
    """The client may omit the body, so what follows the response is ambiguous."""
    async with serving(rejecting) as url, raw_connection(url) as client:
        await client.send("PUT /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5000000\r\n\r\n")
        assert 413 == (await client.read_response())[0]
        assert await client.is_closed()


async def test_100_continue_is_sent() -> None:
    async with serving(echoing) as url, raw_connection(url) as client:
        await client.send("PUT /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 500000\r\n\r\n")
        assert 100 == (await client.read_response())[0]
        await client.send(b"a" * 500_000)
        assert (200, b"a" * 500_000) == (await client.read_response())[::2]


async def test_an_endless_body_after_the_response_is_aborted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "LINGER_BYTES", 1_000_000)
    async with serving(rejecting) as url, raw_connection(url) as client:
        await client.send("POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        assert 413 == (await client.read_response())[0]
        with pytest.raises(ConnectionError):
            await client.send((b"10000\r\n" + b"a" * 65_536 + b"\r\n") * 1000)


async def test_a_pause_after_the_response_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "LINGER_SECONDS", 0.1)
    async with serving(rejecting) as url, raw_connection(url) as client:
        await client.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000\r\n\r\n")
        assert 413 == (await client.read_response())[0]
        assert await client.is_closed()


@pytest.mark.parametrize("start", ["", "\r\n", "GET / HTTP/1.1\r\nHost"])
async def test_a_head_without_end_is_aborted(start: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.1)
    async with serving(rejecting) as url, raw_connection(url) as client:
        await client.send(start)
        assert await client.is_closed()


@pytest.mark.parametrize("ending", ["", "\r\n\r\n"])
async def test_a_head_too_large_is_refused(ending: str) -> None:
    async with serving(rejecting) as url, raw_connection(url) as client:
        await client.send(f"GET / HTTP/1.1\r\nHost: x\r\nX-Large: {'a' * 70_000}{ending}")
        status, headers, body = await client.read_response()
        assert (431, "headers-too-large") == (status, json.loads(body)["code"])
        assert "application/problem+json" == headers["content-type"]


async def test_a_large_head_that_begins_behind_a_request_is_refused(file_app: FileApp) -> None:
    """No matter how it is divided."""
    async with serving(file_app) as url, raw_connection(url) as client:
        await client.send(
            "GET /at%20once?1 HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\nX-A: " + "a" * 40_000
        )
        assert b"1!" == (await client.read_response())[2]
        await client.send("a\r\nX-B: " + "b" * 40_000 + "\r\n\r\n")
        assert 431 == (await client.read_response())[0]


async def test_invalid_http_gets_400() -> None:
    async with serving(rejecting) as url, raw_connection(url) as client:
        await client.send("HELO example.org\r\n\r\n")
        status, _, body = await client.read_response()
        assert (400, "bad-request") == (status, json.loads(body)["code"])
        assert await client.is_closed()


async def test_a_file_is_sent_between_other_chunks(file_app: FileApp) -> None:
    async with serving(file_app) as url, raw_connection(url) as client:
        for _ in range(2):
            await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            status, _, body = await client.read_response()
            assert (200, b"head" + bytes(range(250)) * 80_000 + b"tail") == (status, body)


async def test_many_clients_read_files_at_once(file_app: FileApp) -> None:
    async def read(url: str) -> int:
        async with raw_connection(url) as client:
            await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            return len((await client.read_response())[2])

    async with serving(file_app) as url:
        assert {20_000_008} == set(await asyncio.gather(*[read(url) for _ in range(40)]))


async def test_a_client_that_reads_no_file_is_disconnected(file_app: FileApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("metastore.entrypoints.server.server._IDLE_SECONDS", 0.2)
    async with serving(file_app) as url, raw_connection(url) as client:
        await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await eventually(file_app.ended.is_set)


async def test_a_client_may_disconnect_during_a_file(file_app: FileApp) -> None:
    async with serving(file_app) as url, raw_connection(url) as client:
        await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await asyncio.sleep(0)
        client.writer.transport.abort()
        await eventually(file_app.ended.is_set)


async def test_ready_responses_keep_the_order_of_requests(file_app: FileApp) -> None:
    async with serving(file_app) as url, raw_connection(url) as client:
        at_once = "GET /at%20once?{} HTTP/1.1\r\nHost: x\r\n\r\n"
        await client.send(
            at_once.format(1) + at_once.format(2) + "GET / HTTP/1.1\r\nHost: x\r\n\r\n" + at_once.format(3)
        )
        bodies = [(await client.read_response())[2] for _ in range(4)]
        assert [b"1!", b"2!", b"3!"] == [*bodies[:2], bodies[3]]
        assert 20_000_008 == len(bodies[2])


async def test_a_ready_response_has_a_date(file_app: FileApp) -> None:
    async with serving(file_app) as url, raw_connection(url) as client:
        await client.send("GET /at%20once HTTP/1.1\r\nHost: x\r\n\r\n")
        assert "gmt" in (await client.read_response())[1]["date"]
