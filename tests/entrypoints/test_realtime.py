"""Authentication of sockets and delivery of messages, with a real server and a real client."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from socketio.exceptions import ConnectionError as NotConnected  # type: ignore[import-untyped]  # no types

from metastore.kit.ids import is_id
from metastore.kit.problems.problem import Problem
from metastore.kit.problems.problem_codes import ProblemCode
from metastore.ports.realtime import user_room
from tests.fixtures.sockets import Endpoint, Listener, served_sockets
from tests.fixtures.waiting import eventually


@pytest.fixture(params=["websocket", "polling"])
async def endpoint(request: pytest.FixtureRequest) -> AsyncIterator[Endpoint]:
    """A Socket.IO endpoint, reached by either transport."""
    async with served_sockets(request.param) as served:
        yield served


async def test_a_message_reaches_all_sockets_of_its_user_only(endpoint: Endpoint) -> None:
    """Both devices of a user get a message; another user does not."""
    endpoint.authenticator.sign_in("phone", "anna")
    endpoint.authenticator.sign_in("laptop", "anna")
    endpoint.authenticator.sign_in("other", "ben")
    async with (
        endpoint.client("phone") as phone,
        endpoint.client("laptop") as laptop,
        endpoint.client("other") as other,
    ):
        await endpoint.realtime.emit_to_user("anna", "notification", {"id": "1"})
        await endpoint.realtime.emit_to_user("ben", "notification", {"id": "2"})
        await eventually(lambda: phone.received and laptop.received and other.received)
        assert [("notification", {"id": "1"})] == phone.received == laptop.received
        assert [("notification", {"id": "2"})] == other.received


async def test_a_message_to_a_user_without_sockets_is_dropped(endpoint: Endpoint) -> None:
    """This is not an error."""
    await endpoint.realtime.emit_to_user("anna", "notification", {"id": "1"})


async def test_a_client_without_a_cookie_is_refused(endpoint: Endpoint) -> None:
    """The refusal says that the client is not authenticated."""
    with pytest.raises(NotConnected):
        async with endpoint.client():
            pass
    assert not list(endpoint.realtime.server.manager.get_participants("/", None))


@pytest.mark.parametrize("code", [ProblemCode.TOKEN_EXPIRED, ProblemCode.ACCOUNT_SUSPENDED])
async def test_a_refusal_has_a_code(endpoint: Endpoint, code: ProblemCode) -> None:
    """Its message is the problem's code, so that the client knows whether to refresh its token and reconnect."""
    endpoint.authenticator.callers["old"] = Problem(401, code, "In words.")
    listener = Listener()
    with pytest.raises(NotConnected):
        await listener.connect(endpoint.url, endpoint.transport, "old", {})
    await listener.disconnect()
    assert {"message": code.value, "data": {"code": code.value, "detail": "In words."}} == listener.refusal


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
async def test_a_page_of_another_origin_is_refused(endpoint: Endpoint, headers: dict[str, str]) -> None:
    """Otherwise it could listen with the session of a signed-in user."""
    endpoint.authenticator.sign_in("phone", "anna")
    with pytest.raises(NotConnected):
        async with endpoint.client("phone", **headers):
            pass
    assert not endpoint.realtime.server.eio.sockets


async def test_responses_have_request_ids_and_refusals_are_problem_documents(endpoint: Endpoint) -> None:
    """As in the API."""
    async with httpx.AsyncClient(base_url=endpoint.url, timeout=60) as client:
        poll = "/socket.io/?EIO=4&transport=polling"
        response = await client.get(poll, headers={"X-Request-ID": "trace-1"})
        assert (200, "trace-1") == (response.status_code, response.headers["x-request-id"])
        refused = await client.get(poll, headers={"Origin": "https://evil.example", "X-Request-ID": "<script>"})
        assert (403, "application/problem+json") == (refused.status_code, refused.headers["content-type"])
        assert "cross-site-request" == refused.json()["code"]
        assert is_id(refused.headers["x-request-id"])


async def test_a_page_of_our_own_origin_is_admitted(endpoint: Endpoint) -> None:
    """The Host header is the origin of our pages."""
    endpoint.authenticator.sign_in("phone", "anna")
    async with endpoint.client("phone", Origin=endpoint.url) as phone:
        assert phone.socket.connected


async def test_with_a_public_address_only_its_pages_are_admitted() -> None:
    """Behind a proxy the public URL is the origin of our pages, not the internal host."""
    async with served_sockets(allowed_origins=("https://drive.example.org",)) as endpoint:
        endpoint.authenticator.sign_in("phone", "anna")
        async with endpoint.client("phone", Origin="https://drive.example.org") as phone:
            assert phone.socket.connected
        with pytest.raises(NotConnected):
            async with endpoint.client("phone", Origin=endpoint.url):
                pass


async def test_the_end_of_a_session_closes_its_sockets_only(endpoint: Endpoint) -> None:
    """Signing out disconnects a device; the user's other devices stay connected."""
    endpoint.authenticator.sign_in("phone", "anna")
    endpoint.authenticator.sign_in("laptop", "anna")
    async with endpoint.client("phone") as phone, endpoint.client("laptop") as laptop:
        await endpoint.realtime.close_session("phone-session")
        await asyncio.wait_for(phone.disconnected_by_server.wait(), 5)
        await endpoint.realtime.emit_to_user("anna", "notification", {"id": "1"})
        await eventually(lambda: laptop.received)
        assert not phone.received
        assert not laptop.disconnected_by_server.is_set()


async def test_closing_a_user_closes_all_its_sockets(endpoint: Endpoint) -> None:
    """All devices of the user are disconnected, and no others."""
    for token, user in (("phone", "anna"), ("laptop", "anna"), ("other", "ben")):
        endpoint.authenticator.sign_in(token, user)
    async with (
        endpoint.client("phone") as phone,
        endpoint.client("laptop") as laptop,
        endpoint.client("other") as other,
    ):
        await endpoint.realtime.close_user("anna")
        await asyncio.wait_for(
            asyncio.gather(phone.disconnected_by_server.wait(), laptop.disconnected_by_server.wait()), 5
        )
        assert not other.disconnected_by_server.is_set()


async def test_a_session_that_ends_while_its_socket_connects_gets_no_socket(endpoint: Endpoint) -> None:
    """A sign-out between the check and entering the rooms is noticed before the connection is confirmed."""
    endpoint.authenticator.sign_in("phone", "anna")
    enter_room = endpoint.realtime.server.enter_room

    async def enter_then_sign_out(*args: object, **kwargs: object) -> None:
        await enter_room(*args, **kwargs)
        endpoint.authenticator.callers.pop("phone", None)

    endpoint.realtime.server.enter_room = enter_then_sign_out
    with pytest.raises(NotConnected):
        async with endpoint.client("phone"):
            pass
    assert not list(endpoint.realtime.server.manager.get_participants("/", user_room("anna")))


async def test_a_connection_may_be_upgraded_from_polling_to_websocket() -> None:
    """Browsers start with polling and upgrade to a WebSocket."""
    async with served_sockets() as endpoint:
        endpoint.authenticator.sign_in("phone", "anna")
        phone = Listener()
        await phone.socket.connect(
            endpoint.url, headers={"Cookie": "access_token=phone"}, transports=["polling", "websocket"]
        )
        await eventually(lambda: phone.socket.transport() == "websocket")
        await endpoint.realtime.emit_to_user("anna", "notification", {"id": "1"})
        await eventually(lambda: phone.received)
        await phone.disconnect()
