"""Two servers share a port: each connection moves to the one that its next request belongs to."""

import asyncio
import os
import socket
from collections.abc import Mapping

import pytest
from starlette.types import Receive, Scope, Send

from metastore.entrypoints.server import passing
from metastore.entrypoints.server.passing import SocketPasser
from metastore.entrypoints.server.ready_response import ReadyResponse
from tests.fixtures.http_server import serving_beside
from tests.fixtures.raw_http import FileApp, RawConnection, echoing, raw_connection, rejecting, send_response
from tests.fixtures.waiting import eventually


async def front(scope: Scope, receive: Receive, send: Send) -> None:
    """Respond with the path and the request body."""
    body, more = bytearray(), True
    while more:
        message = await receive()
        body += message["body"]
        more = message["more_body"]
    await send_response(send, 200, b"front:" + scope["path"].encode() + b":" + body)


async def back(scope: Scope, receive: Receive, send: Send) -> None:
    """Respond with the path and the port of the client."""
    await send_response(send, 200, f"back:{scope['path']}:{scope['client'][1]}:{scope['http_version']}".encode())


def request(path: str, body: bytes = b"", *, method: str = "", headers: str = "") -> bytes:
    """Return a request, a POST if it has a body."""
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    method = method or ("POST" if body else "GET")
    return f"{method} {path} HTTP/1.1\r\nHost: x\r\n{length}{headers}\r\n".encode() + body


async def bodies(client: RawConnection, count: int) -> list[bytes]:
    """Read responses and return their bodies."""
    return [(await client.read_response())[2] for _ in range(count)]


async def test_a_connection_follows_its_requests() -> None:
    """Between the servers and back, on one kept-alive connection whose client does not notice."""
    async with serving_beside(front, back) as (url, forth, back_again), raw_connection(url) as client:
        port = client.writer.get_extra_info("sockname")[1]
        for round_ in range(3):
            await client.send(request("/api"))
            await client.send(request("/objects/a") if round_ else b"")
            assert b"front:/api:" == (await bodies(client, 1))[0]
            if round_:
                assert f"back:/objects/a:{port}:1.1".encode() == (await bodies(client, 1))[0]
        for _ in range(3):
            await client.send(request("/objects/b"))
            assert (await bodies(client, 1))[0].startswith(b"back:/objects/b:")
        assert (forth.passed, back_again.passed) == (2, 1)


async def test_pipelined_requests_are_answered_in_order() -> None:
    """Of both servers, mixed, with bodies in between, and sent at once."""
    paths = ["/1", "/objects/2", "/objects/3", "/4", "/5", "/objects/6", "/7"]
    requests = [request(path, b"\r\n\r\nGET /objects/x HTTP/1.1\r\n\r\n" if path == "/4" else b"") for path in paths]
    async with serving_beside(front, back) as (url, _, _), raw_connection(url) as client:
        await client.send(b"".join(requests))
        got = await bodies(client, len(paths))
        assert [body.split(b":")[1].decode() for body in got] == paths
        assert got[3].endswith(b"\r\n\r\nGET /objects/x HTTP/1.1\r\n\r\n")


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7])
async def test_heads_may_arrive_in_pieces(size: int) -> None:
    """Even when an empty line is cut in the middle."""
    whole = request("/1") + request("/objects/2") + request("/3", b"body") + request("/objects/4")
    async with serving_beside(front, back) as (url, _, _), raw_connection(url) as client:
        client.writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start in range(0, len(whole), size):
            await client.send(whole[start : start + size])
            await asyncio.sleep(0)
        assert [body.split(b":")[1] for body in await bodies(client, 4)] == [b"/1", b"/objects/2", b"/3", b"/objects/4"]


async def test_bytes_that_were_received_with_the_head_are_passed() -> None:
    """However many they are: the rest of the body comes from the socket."""
    content = os.urandom(3_000_000)
    async with serving_beside(front, echoing) as (url, _, _), raw_connection(url) as client:
        for _ in range(3):
            await client.send(request("/objects/a", content, method="PUT") + request("/api"))
            assert await bodies(client, 2) == [content, b"front:/api:"]


async def test_a_chunked_body_is_followed_by_a_request_of_the_other_server() -> None:
    chunked = b"POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n\r\n\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    async with serving_beside(front, back) as (url, _, _), raw_connection(url) as client:
        await client.send(chunked + request("/objects/b"))
        first, second = await bodies(client, 2)
        assert first == b"front:/a:\r\n\r\nabc"
        assert second.startswith(b"back:/objects/b:")


async def test_a_client_that_expects_100_continue_gets_it_from_the_other_server() -> None:
    async with serving_beside(front, echoing) as (url, _, _), raw_connection(url) as client:
        await client.send(b"PUT /objects/a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        assert (await client.read_response())[0] == 100
        await client.send(b"bytes")
        assert (200, b"bytes") == (await client.read_response())[::2]


async def test_the_target_may_have_any_form() -> None:
    """Absolute, and encoded: what decides is the path that the application sees."""
    async with serving_beside(front, back) as (url, forth, _), raw_connection(url) as client:
        for target in ("http://x/objects/a?b", "/%6fbjects/a", "/objects%2Fa", "/objects/a?/api"):
            await client.send(request(target))
            assert (await bodies(client, 1))[0].startswith(b"back:/objects/a:"), target
        for target in ("/objects", "/api?/objects/", "//objects/a", "/api/objects/a"):
            await client.send(request(target))
            assert (await bodies(client, 1))[0].startswith(b"front:"), target
        assert forth.passed == 1


async def test_old_clients_are_passed_and_their_connections_closed() -> None:
    async with serving_beside(front, back) as (url, _, _), raw_connection(url) as client:
        await client.send(b"GET /objects/a HTTP/1.0\r\n\r\n")
        assert (await bodies(client, 1))[0].endswith(b":1.0")
        assert await client.is_closed()


async def test_websockets_are_not_passed() -> None:
    """The server that listens answers, as it does without a neighbour."""
    upgrade = (
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    )
    async with serving_beside(rejecting, back) as (url, forth, _), raw_connection(url) as client:
        await client.send(request("/objects/a", headers=upgrade))
        assert (await client.read_response())[0] >= 400
        assert forth.passed == 0


async def test_bad_requests_are_refused_by_the_server_that_reads_them() -> None:
    async with serving_beside(front, back) as (url, _, _):
        for bad in (
            b"GET /objects/a HTTP/1.1\r\n\r\n",
            b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n",
            b"\0\0\0\0\r\n\r\n",
        ):
            async with raw_connection(url) as client:
                await client.send(request("/objects/b"))
                assert (await client.read_response())[0] == 200
                await client.send(bad)
                status, _, _ = await client.read_response()
                assert status == 400
                assert await client.is_closed()


async def test_a_response_that_the_client_reads_slowly_is_complete_before_the_connection_moves(
    file_app: FileApp,
) -> None:
    """In both directions."""
    async with serving_beside(file_app, file_app) as (url, forth, back_again), raw_connection(url) as client:
        await client.send(request("/1") + request("/objects/2") + request("/3"))
        await asyncio.sleep(0)
        contents = await bodies(client, 3)
        assert len({*contents}) == 1
        assert len(contents[0]) == 20_000_008
        assert (forth.passed, back_again.passed) == (1, 1)


class ReadyApp:
    """Has all responses ready."""

    def ready_response(self, path: str, query: bytes, headers: Mapping[bytes, bytes]) -> ReadyResponse | None:
        return ReadyResponse(200, b"content-length: %d\r\n" % len(path), path.encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError


async def test_ready_responses_mix_with_requests_of_the_other_server() -> None:
    paths = ["/objects/1", "/objects/2", "/3", "/objects/4"]
    async with serving_beside(front, ReadyApp()) as (url, _, _), raw_connection(url) as client:
        await client.send(b"".join(request(path) for path in paths))
        assert await bodies(client, 4) == [b"/objects/1", b"/objects/2", b"front:/3:", b"/objects/4"]


async def test_without_a_neighbour_that_runs_the_server_answers_itself() -> None:
    async with serving_beside(front, back) as (url, forth, _), raw_connection(url) as client:
        assert forth.passer is not None
        forth.passer.close()
        await client.send(request("/objects/a"))
        assert await bodies(client, 1) == [b"front:/objects/a:"]


async def test_many_connections_move_at_once() -> None:
    """More than the channel holds, with bytes to pass."""
    content = os.urandom(400_000)

    async def one(url: str) -> None:
        async with raw_connection(url) as client:
            for _ in range(3):
                await client.send(request("/objects/a", content, method="PUT") + request("/api"))
                assert await bodies(client, 2) == [content, b"front:/api:"]

    async with serving_beside(front, echoing) as (url, _, _):
        await asyncio.gather(*(one(url) for _ in range(50)))


async def test_connections_that_cannot_be_passed_any_more_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the other process has ended: the client sees the end of the connection."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    monkeypatch.setattr(passing, "_PIECE", 1000)
    passer = SocketPasser(ours, lambda *_: None)
    client, server = socket.socketpair()
    passer.send(server, bytes(2_000_000))
    theirs.close()
    await eventually(lambda: not passer.is_open)
    assert client.recv(1) == b""
    client.close()


async def test_a_connection_that_cannot_be_passed_harms_no_other() -> None:
    """Not even if some of its bytes were passed already."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    adopted: list[tuple[socket.socket, bytes]] = []
    sending = SocketPasser(ours, lambda *_: None)
    receiving = SocketPasser(theirs, lambda *connection: adopted.append(connection))
    broken, (client, server) = socket.socket(), socket.socketpair()
    broken.close()
    sending.send(broken, bytes(100_000))
    sending.send(server, b"whole")
    await eventually(lambda: adopted)
    [(connection, received)] = adopted
    assert received == b"whole"
    connection.send(b"response")
    assert client.recv(8) == b"response"
    for each in (connection, client, sending, receiving):
        each.close()
