"""What strangers and talkative clients cannot do, and how everything ends."""

import asyncio
import time
from collections.abc import AsyncIterator

import aiohttp
import pytest

from metastore.adapters.realtime.socketio import MAX_MESSAGE
from tests.fixtures.sockets import Endpoint, served_sockets
from tests.fixtures.waiting import eventually


@pytest.fixture(params=["websocket", "polling"])
async def endpoint(request: pytest.FixtureRequest) -> AsyncIterator[Endpoint]:
    """A Socket.IO endpoint, reached by either transport."""
    async with served_sockets(request.param) as served:
        served.doorman.sign_in("phone", "anna")
        yield served


async def test_a_client_that_sends_an_event_is_sent_away(endpoint: Endpoint) -> None:
    """Clients listen; there is nothing for them to say."""
    async with endpoint.client("phone") as phone:
        await phone.socket.emit("shout", {"to": "everybody"})
        await asyncio.wait_for(phone.sent_away.wait(), 5)


async def test_a_binary_event_is_refused_before_its_attachments(endpoint: Endpoint) -> None:
    """Announcing many attachments does not make the server collect them."""
    async with endpoint.client("phone") as phone:
        await phone.socket.eio.send('5999999-["shout",{"_placeholder":true,"num":0}]')
        await asyncio.wait_for(phone.sent_away.wait(), 5)
        assert not endpoint.realtime.server._binary_packet


async def test_a_large_message_is_not_taken(endpoint: Endpoint) -> None:
    """A message over the limit ends the connection."""
    async with endpoint.client("phone") as phone:
        await phone.socket.eio.send("2" + "x" * (MAX_MESSAGE + 1))
        await asyncio.wait_for(phone.sent_away.wait(), 5)


async def test_a_connection_that_does_not_say_who_it_is_gets_closed() -> None:
    """A stranger cannot keep a connection open without signing in."""
    async with served_sockets(connect_within=0.1) as endpoint, aiohttp.ClientSession() as browser:
        async with browser.ws_connect(f"{endpoint.url}/socket.io/?EIO=4&transport=websocket") as stranger:
            assert (await stranger.receive_str()).startswith("0{")
            assert "1" == await stranger.receive_str(timeout=5)
            assert aiohttp.WSMsgType.CLOSE == (await stranger.receive(timeout=5)).type
        await eventually(lambda: not endpoint.realtime.server.eio.sockets)


async def test_a_refused_connection_gets_closed_and_an_admitted_one_stays() -> None:
    """A client that was refused is not left connected; one that was admitted outlives the time for saying who it is."""
    async with served_sockets(connect_within=0.2) as endpoint, aiohttp.ClientSession() as browser:
        endpoint.doorman.sign_in("phone", "anna")
        async with endpoint.client("phone") as phone:
            async with browser.ws_connect(f"{endpoint.url}/socket.io/?EIO=4&transport=websocket") as stranger:
                await stranger.receive_str()
                await stranger.send_str("40")
                assert (await stranger.receive_str()).startswith("44")
                assert "1" == await stranger.receive_str(timeout=5)
            assert phone.socket.connected
            assert not phone.sent_away.is_set()


async def test_closing_down_sends_everybody_away_without_waiting(endpoint: Endpoint) -> None:
    """The end of the product does not wait for clients, not even for those who have stopped listening."""
    async with endpoint.client("phone") as phone, aiohttp.ClientSession() as browser:
        async with browser.get(f"{endpoint.url}/socket.io/?EIO=4&transport=polling") as silent:
            assert 200 == silent.status
        began = time.monotonic()
        await endpoint.realtime.aclose()
        assert time.monotonic() - began < 1
        await asyncio.wait_for(phone.sent_away.wait(), 5)


async def test_messages_in_other_scripts_arrive_whole(endpoint: Endpoint) -> None:
    """Text is Unicode from end to end."""
    async with endpoint.client("phone") as phone:
        await endpoint.realtime.emit_to_user("anna", "notification", {"message": "“phim tiếng Việt 🎬.mp4” đã xong"})
        await eventually(lambda: phone.heard)
        assert [("notification", {"message": "“phim tiếng Việt 🎬.mp4” đã xong"})] == phone.heard
