"""Live notifications in the whole product, with a real server, sockets and sign-in."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from socketio.exceptions import ConnectionError as NotConnected  # type: ignore[import-untyped]  # no types

from metastore.config import load_settings
from metastore.entrypoints.serve import build_asgi, running_product
from tests.fixtures.databases import prepare_database
from tests.fixtures.http_server import serving
from tests.fixtures.product import PASSWORD, Client
from tests.fixtures.sockets import Listener
from tests.fixtures.waiting import eventually


@dataclass
class Site:
    """The served product."""

    url: str

    @asynccontextmanager
    async def signed_in(self, name: str) -> AsyncIterator[Client]:
        """Yield a client signed in as that user, who is created if necessary."""
        async with Client(base_url=self.url, timeout=60) as client:
            account = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
            await client.post("/api/v1/auth/register", json=account)
            await client.json_of("POST", "/api/v1/auth/login", json={"username": name, "password": PASSWORD})
            yield client

    @asynccontextmanager
    async def listening(self, client: Client) -> AsyncIterator[Listener]:
        """Yield a socket with the client's session."""
        listener = Listener()
        try:
            await listener.connect(self.url, "websocket", client.cookies["access_token"], {"Origin": self.url})
            yield listener
        finally:
            await listener.disconnect()


@asynccontextmanager
async def served(folder: Path, **settings: object) -> AsyncIterator[Site]:
    """Serve the product with the embedded backends on the loopback interface."""
    loaded = load_settings(data_dir=folder, secret_key="k" * 40, **settings)
    await prepare_database(loaded.effective_database_url)
    async with running_product(loaded) as (product, _), serving(build_asgi(product)) as url:
        yield Site(url)
        await product.realtime.aclose()


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """The product with its usual settings."""
    async with served(tmp_path / "data") as site:
        yield site


async def test_only_the_owner_of_an_upload_is_notified_live(site: Site) -> None:
    """The owner's sockets get the saved notification. Those of another user do not."""
    async with (
        site.signed_in("anna") as anna,
        site.signed_in("ben") as ben,
        site.listening(anna) as at_anna,
        site.listening(ben) as at_ben,
    ):
        for client in (anna, ben):
            await client.json_of(
                "POST", "/api/v1/files/upload", 201, files={"file": ("notes.txt", b"hello")}, data={"path": "/"}
            )
        events = {"notification", "search.indexed"}
        await eventually(lambda: events <= dict(at_anna.received).keys() and events <= dict(at_ben.received).keys())
        saved = (await anna.json_of("GET", "/api/v1/notifications"))["items"]
        assert [saved[0]] == [payload for event, payload in at_anna.received if event == "notification"]
        assert 1 == sum(event == "notification" for event, _ in at_ben.received)
        assert dict(at_anna.received)["notification"] != dict(at_ben.received)["notification"]


async def test_signing_out_closes_the_sessions_sockets_within_5_seconds(site: Site) -> None:
    """The socket of the ended session is closed and cannot reconnect; the user's other device stays connected."""
    async with (
        site.signed_in("anna") as phone,
        site.signed_in("anna") as laptop,
        site.listening(phone) as at_phone,
        site.listening(laptop) as at_laptop,
    ):
        old_cookie = phone.cookies["access_token"]
        await phone.json_of("POST", "/api/v1/auth/logout", 204)
        await asyncio.wait_for(at_phone.disconnected_by_server.wait(), 5)
        assert not at_laptop.disconnected_by_server.is_set()
        again = Listener()
        with pytest.raises(NotConnected):
            await again.connect(site.url, "websocket", old_cookie, {})
        await again.disconnect()


async def test_an_expired_cookie_is_refused_as_expired(tmp_path: Path) -> None:
    """The refusal has the code ``token-expired``, as in the API. After a refresh the client can connect."""
    async with served(tmp_path / "data", access_token_ttl=1) as site, site.signed_in("anna") as anna:
        old_cookie = anna.cookies["access_token"]

        async def refusal() -> object:
            attempt = Listener()
            try:
                await attempt.connect(site.url, "websocket", old_cookie, {})
            except NotConnected:
                return attempt.refusal
            finally:
                await attempt.disconnect()
            return None

        refused = await eventually(refusal, interval=0.2)
        assert isinstance(refused, dict)
        assert "token-expired" == refused["message"]
        await anna.json_of("POST", "/api/v1/auth/refresh")
        async with site.listening(anna) as listener:
            assert listener.socket.connected


async def test_an_unauthenticated_client_gets_no_socket(site: Site) -> None:
    """Neither without a cookie nor with a forged one."""
    for cookie in (None, "forged"):
        attempt = Listener()
        with pytest.raises(NotConnected):
            await attempt.connect(site.url, "websocket", cookie, {})
        await attempt.disconnect()


async def test_similar_paths_are_not_sockets(site: Site) -> None:
    """A path that only starts like the socket's is not found."""
    async with httpx.AsyncClient(base_url=site.url, timeout=60) as browser:
        assert 404 == (await browser.get("/socket.iox")).status_code
