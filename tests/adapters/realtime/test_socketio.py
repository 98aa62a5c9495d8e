"""Limits on clients, and shutdown."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import aiohttp
import pytest

from metastore.adapters.realtime.socket_server import MAX_MESSAGE
from metastore.adapters.realtime.socketio import SocketIoRealtime
from tests.fixtures.sockets import Endpoint, served_sockets
from tests.fixtures.waiting import eventually


@pytest.fixture(params=["websocket", "polling"])
async def endpoint(request: pytest.FixtureRequest) -> AsyncIterator[Endpoint]:
    """A Socket.IO endpoint, reached by either transport."""
    async with served_sockets(request.param) as served:
        served.authenticator.sign_in("phone", "anna")
        yield served


async def test_a_client_that_sends_an_event_is_disconnected(endpoint: Endpoint) -> None:
    """Clients only receive."""
    async with endpoint.client("phone") as phone:
        await phone.socket.emit("message", {"to": "everybody"})
        await asyncio.wait_for(phone.disconnected_by_server.wait(), 5)


async def test_a_binary_event_is_rejected_before_its_attachments(endpoint: Endpoint) -> None:
    """The server does not buffer announced attachments."""
    async with endpoint.client("phone") as phone:
        await phone.socket.eio.send('5999999-["message",{"_placeholder":true,"num":0}]')
        await asyncio.wait_for(phone.disconnected_by_server.wait(), 5)
        assert not endpoint.realtime.server._binary_packet


async def test_a_message_over_the_limit_is_rejected(endpoint: Endpoint) -> None:
    """The connection is closed."""
    async with endpoint.client("phone") as phone:
        await phone.socket.eio.send("2" + "x" * (MAX_MESSAGE + 1))
        await asyncio.wait_for(phone.disconnected_by_server.wait(), 5)


async def test_an_unauthenticated_connection_is_closed() -> None:
    """A client cannot keep a connection open without authenticating."""
    async with served_sockets(connect_within=0.1) as endpoint, aiohttp.ClientSession() as browser:
        async with browser.ws_connect(f"{endpoint.url}/socket.io/?EIO=4&transport=websocket") as connection:
            assert (await connection.receive_str()).startswith("0{")
            assert "1" == await connection.receive_str(timeout=5)
            assert aiohttp.WSMsgType.CLOSE == (await connection.receive(timeout=5)).type
        await eventually(lambda: not endpoint.realtime.server.eio.sockets)


async def test_a_refused_connection_is_closed_and_an_admitted_one_stays_open() -> None:
    """An admitted client stays connected beyond the time limit for authentication."""
    async with served_sockets(connect_within=0.2) as endpoint, aiohttp.ClientSession() as browser:
        endpoint.authenticator.sign_in("phone", "anna")
        async with endpoint.client("phone") as phone:
            async with browser.ws_connect(f"{endpoint.url}/socket.io/?EIO=4&transport=websocket") as connection:
                await connection.receive_str()
                await connection.send_str("40")
                assert (await connection.receive_str()).startswith("44")
                assert "1" == await connection.receive_str(timeout=5)
            assert phone.socket.connected
            assert not phone.disconnected_by_server.is_set()


async def test_shutdown_disconnects_all_clients_without_waiting(endpoint: Endpoint) -> None:
    """Shutdown does not wait for clients, not even for those that have stopped reading."""
    async with endpoint.client("phone") as phone, aiohttp.ClientSession() as browser:
        async with browser.get(f"{endpoint.url}/socket.io/?EIO=4&transport=polling") as silent:
            assert 200 == silent.status
        began = time.monotonic()
        await endpoint.realtime.aclose()
        assert time.monotonic() - began < 1
        await asyncio.wait_for(phone.disconnected_by_server.wait(), 5)


async def test_messages_in_any_script_are_delivered_unchanged(endpoint: Endpoint) -> None:
    """Here Vietnamese with an emoji."""
    async with endpoint.client("phone") as phone:
        await endpoint.realtime.emit_to_user("anna", "notification", {"message": "“phim tiếng Việt 🎬.mp4” đã xong"})
        await eventually(lambda: phone.received)
        assert [("notification", {"message": "“phim tiếng Việt 🎬.mp4” đã xong"})] == phone.received


async def test_the_library_is_not_needed_before_the_first_client() -> None:
    """Sending to nobody and closing nothing work without a server."""
    realtime = SocketIoRealtime()
    await realtime.emit_to_user("anna", "message", {})
    await realtime.close_session("session")
    assert not realtime.open_sessions()
    await realtime.aclose()
    assert realtime._server is None


async def test_the_first_connection_ends_the_wait_for_one(endpoint: Endpoint) -> None:
    waiting = asyncio.create_task(endpoint.realtime.wait_for_any())
    await asyncio.sleep(0)
    assert not waiting.done()
    async with endpoint.client("phone"):
        await asyncio.wait_for(waiting, 5)
        await asyncio.wait_for(endpoint.realtime.wait_for_any(), 5)


async def test_first_clients_that_connect_at_once_share_one_server(endpoint: Endpoint) -> None:
    async with AsyncExitStack() as stack:
        clients = await asyncio.gather(*(stack.enter_async_context(endpoint.client("phone")) for _ in range(5)))
        await endpoint.realtime.emit_to_user("anna", "message", {"n": 1})
        await eventually(lambda: all(client.received for client in clients))


async def test_a_connection_that_responds_to_no_ping_is_ended(endpoint: Endpoint) -> None:
    """Also one that no request is waiting on, and the others stay open."""
    eio = endpoint.realtime.server.eio
    eio.ping_interval, eio.ping_timeout = 0.2, 0.5
    async with endpoint.client("phone") as phone, aiohttp.ClientSession() as browser:
        async with browser.get(f"{endpoint.url}/socket.io/?EIO=4&transport=polling") as silent:
            assert 200 == silent.status
        assert 2 == len(eio.sockets)
        await eventually(lambda: 1 == len(eio.sockets))
        assert phone.socket.connected


async def test_connections_are_watched_again_after_all_have_ended(endpoint: Endpoint) -> None:
    """While there are none, nothing wakes up."""
    server = endpoint.realtime.server
    server.eio.ping_interval, server.eio.ping_timeout = 0.1, 0.2
    for _ in range(2):
        async with aiohttp.ClientSession() as browser:
            async with browser.get(f"{endpoint.url}/socket.io/?EIO=4&transport=polling"):
                monitor = server._monitor
            await eventually(lambda: not server.eio.sockets)
            assert monitor is not None
            await asyncio.wait_for(monitor, 5)
