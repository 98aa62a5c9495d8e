"""Sessions under attack: forged and stolen cookies, cross-site requests, spoofed addresses."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.fixtures.process import MetastoreProcess, running_metastore
from tests.fixtures.product import PASSWORD
from tests.fixtures.waiting import eventually
from tests.reliability.http_uploads import (
    UPLOADS,
    all_items,
    anonymous_client,
    new_user,
    sign_in,
    the_admin,
    upload_request,
)

ME = "/api/v1/auth/me"


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MetastoreProcess]:
    """A running product whose access tokens last four seconds."""
    with running_metastore(tmp_path_factory.mktemp("sessions"), ACCESS_TOKEN_TTL="4") as product:
        yield product


async def test_forged_tokens_are_refused(product: MetastoreProcess) -> None:
    """Unsigned ones, ones signed by another key and refresh tokens get 401."""
    async with new_user(product.address) as client, anonymous_client(product.address) as forger:
        access, refresh = client.cookies["access_token"], client.cookies["refresh_token"]
        header, payload, signature = access.split(".")
        unsigned = _packed({"alg": "none", "typ": "JWT"})
        forged = [
            "",
            "nonsense",
            f"{unsigned}.{payload}.",
            f"{unsigned}.{payload}.{signature}",
            f"{header}.{payload}.{_signature(f'{header}.{payload}', b'')}",
            f"{header}.{payload}.{_signature(f'{header}.{payload}', b'secret')}",
            f"{header}.{_packed({**_unpacked(payload), 'exp': 2**40})}.{signature}",
            f"{header}.{payload}.{signature[:-2]}",
            refresh,
            access + "%00",
            "a" * 8000,
        ]
        for token in forged:
            response = await forger.get(ME, headers={"Cookie": f"access_token={token}"})
            assert (response.status_code, response.json()["code"]) == (401, "not-authenticated"), token
        response = await forger.post("/api/v1/auth/refresh", headers={"Cookie": f"refresh_token={access}"})
        assert response.status_code == 401


async def test_an_expired_token_is_reported_as_expired_and_can_be_refreshed(product: MetastoreProcess) -> None:
    """The problem code tells it from an invalid token; after a refresh the new cookies are accepted."""
    async with new_user(product.address) as client, anonymous_client(product.address) as thief:
        headers = {"Cookie": f"access_token={client.cookies['access_token']}"}

        async def expired() -> bool:
            response = await thief.get(ME, headers=headers)
            return response.status_code == 401 and response.json()["code"] == "token-expired"

        await eventually(expired, timeout=10, interval=0.2, why="the access token expires")
        await client.json_of("POST", "/api/v1/auth/refresh")
        await client.json_of("GET", ME)


async def test_cookies_are_hidden_from_scripts(product: MetastoreProcess) -> None:
    """They are ``HttpOnly`` and ``SameSite``, and the refresh token is sent to the API only."""
    async with new_user(product.address) as client:
        response = await client.post("/api/v1/auth/refresh")
        cookies = {line.split("=")[0]: line.lower() for line in response.headers.get_list("set-cookie")}
        assert cookies.keys() == {"access_token", "refresh_token"}
        for line in cookies.values():
            assert "httponly" in line
            assert "samesite=lax" in line
        assert "path=/api" in cookies["refresh_token"]


async def test_a_refresh_token_used_twice_ends_the_session(product: MetastoreProcess) -> None:
    """The thief of an old token gets no session, and the owner has to sign in again."""
    async with new_user(product.address) as client, anonymous_client(product.address) as thief:
        stolen = {"Cookie": f"refresh_token={client.cookies['refresh_token']}"}
        for _ in range(2):
            await client.json_of("POST", "/api/v1/auth/refresh")
        response = await thief.post("/api/v1/auth/refresh", headers=stolen)
        assert (response.status_code, response.json()["code"]) == (401, "refresh-reused")
        assert (await client.get(ME)).status_code == 401
        assert (await client.post("/api/v1/auth/refresh")).status_code == 401


async def test_signing_out_invalidates_both_tokens_at_once(product: MetastoreProcess) -> None:
    """Copies of the access and the refresh token are refused."""
    async with new_user(product.address) as client, anonymous_client(product.address) as thief:
        access = {"Cookie": f"access_token={client.cookies['access_token']}"}
        refresh = {"Cookie": f"refresh_token={client.cookies['refresh_token']}"}
        assert (await client.post("/api/v1/auth/logout")).status_code == 204
        assert not client.cookies
        assert (await thief.get(ME, headers=access)).status_code == 401
        assert (await thief.post("/api/v1/auth/refresh", headers=refresh)).status_code == 401


async def test_cross_site_requests_are_refused(product: MetastoreProcess) -> None:
    """Any foreign, empty or misleading ``Origin`` or ``Sec-Fetch-Site`` is refused."""
    async with new_user(product.address) as client:
        own = httpx.URL(product.address)
        cross_site = [
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {"Origin": ""},
            {"Origin": f"http://{own.host}.evil.example:{own.port}"},
            {"Origin": f"http://evil.example:{own.port}"},
            {"Origin": f"http://{own.host}:{(own.port or 0) + 1}"},
            {"Origin": f"http://{own.host}:{own.port}@evil.example"},
            {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
        ]
        for headers in cross_site:
            for method, url in (
                ("POST", "/api/v1/folders"),
                ("DELETE", "/api/v1/trash"),
                ("POST", "/api/v1/auth/logout"),
            ):
                response = await client.request(method, url, headers=headers, json={"name": "planted"})
                assert (response.status_code, response.json()["code"]) == (403, "cross-site-request"), headers
        assert await all_items(client, "/api/v1/files") == []
        ours = {"Origin": product.address, "Sec-Fetch-Site": "same-origin"}
        assert (await client.post("/api/v1/folders", headers=ours, json={"name": "mine"})).status_code == 201


async def test_a_forged_host_is_ignored_when_the_public_url_is_set(public_product: MetastoreProcess) -> None:
    """URLs and the check for cross-site requests use ``PUBLIC_URL`` and not the ``Host`` header."""
    async with anonymous_client(public_product.address) as client:
        # The client would not send Secure cookies over http, so the test sets the header itself.
        account = {"username": "mallory", "email": "mallory@example.org", "password": PASSWORD}
        await client.json_of("POST", "/api/v1/auth/register", 201, json=account)
        response = await client.post("/api/v1/auth/login", json={"username": "mallory", "password": PASSWORD})
        lines = response.headers.get_list("set-cookie")
        assert all("secure" in line.lower() for line in lines)
        cookie = "; ".join(line.split(";")[0] for line in lines)
        assert cookie.startswith("__Host-access_token=")
        headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "Cookie": cookie}
        response = await client.post(f"{UPLOADS}/initiate", headers=headers, json=upload_request(10))
        assert response.status_code == 201, response.text
        assert "evil.example" not in response.text
        assert all(url.startswith("https://drive.example.org/objects/") for url in response.json()["uploadUrls"])
        same_host = {"Cookie": cookie, "Host": "evil.example", "Origin": "https://evil.example"}
        assert (await client.post("/api/v1/folders", headers=same_host, json={"name": "x"})).status_code == 403
        plain = {"Cookie": cookie.replace("__Host-", "").replace("__Secure-", "")}
        assert (await client.get(ME, headers=plain)).status_code == 401


async def test_a_forged_client_address_is_ignored(product: MetastoreProcess) -> None:
    """The audit trail and the sign-in throttle trust ``X-Forwarded-For`` from known proxies only."""
    async with (
        new_user(product.address) as client,
        anonymous_client(product.address) as guesser,
        the_admin(product.address) as admin,
    ):
        user = (await client.json_of("GET", ME))["user"]
        statuses = []
        retry_after = 0
        for attempt in range(14):
            headers = {
                "X-Forwarded-For": f"203.0.113.{attempt}",
                "X-Real-IP": f"203.0.113.{attempt}",
                "Forwarded": "for=203.0.113.1",
            }
            body = {"username": user["username"], "password": "wrong horse battery staple"}
            response = await guesser.post("/api/v1/auth/login", json=body, headers=headers)
            statuses.append(response.status_code)
            retry_after = int(response.headers.get("retry-after", 0))
        assert statuses[0] == 401
        assert statuses[-1] == 429
        assert retry_after > 0

        async def recorded() -> list[str]:
            entries = await all_items(admin, "/api/v1/admin/audit-logs", action="session.refused")
            return [entry["address"] for entry in entries if entry["details"].get("username") == user["username"]]

        addresses = await eventually(recorded, interval=0.2, why="refusals are in the audit trail")
        assert set(addresses) == {"127.0.0.1"}


async def test_an_unknown_name_and_a_wrong_password_get_the_same_response(product: MetastoreProcess) -> None:
    """The time is about the same too, so nobody learns who has an account."""
    async with new_user(product.address) as client, anonymous_client(product.address) as guesser:
        user = (await client.json_of("GET", ME))["user"]
        seconds: dict[str, list[float]] = {user["username"]: [], "no-such-user": []}
        responses = set()
        for _ in range(4):
            for name, durations in seconds.items():
                began = time.perf_counter()
                response = await guesser.post("/api/v1/auth/login", json={"username": name, "password": "wrong one"})
                durations.append(time.perf_counter() - began)
                body = response.json()
                responses.add((response.status_code, body["code"], body["detail"]))
        assert len(responses) == 1
        known, unknown = (min(durations) for durations in seconds.values())
        # A sign-in that did not hash the password would take a fiftieth of the time.
        assert 0.2 < known / unknown < 5


async def test_another_users_devices_stay_hidden(product: MetastoreProcess) -> None:
    """They can be neither listed nor signed out."""
    async with new_user(product.address) as client, new_user(product.address) as other_user:
        session = (await all_items(client, "/api/v1/auth/sessions"))[0]
        assert (await other_user.delete(f"/api/v1/auth/sessions/{session['id']}")).status_code == 404
        assert session["id"] not in str(await all_items(other_user, "/api/v1/auth/sessions"))
        await client.json_of("POST", "/api/v1/auth/refresh")


async def test_a_revoked_device_is_signed_out_at_once(product: MetastoreProcess) -> None:
    """The request comes from another device of the same user."""
    async with new_user(product.address) as first, anonymous_client(product.address) as second:
        user = (await first.json_of("GET", ME))["user"]
        await sign_in(second, user["username"], PASSWORD)
        sessions = await all_items(first, "/api/v1/auth/sessions")
        other = next(session["id"] for session in sessions if not session["current"])
        assert (await first.delete(f"/api/v1/auth/sessions/{other}")).status_code == 204
        assert (await second.get(ME)).status_code == 401
        assert (await second.post("/api/v1/auth/refresh")).status_code == 401
        await first.json_of("POST", "/api/v1/auth/refresh")


@pytest.fixture
def public_product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MetastoreProcess]:
    """A running product behind an HTTPS proxy."""
    folder = tmp_path_factory.mktemp("public")
    with running_metastore(folder, PUBLIC_URL="https://drive.example.org") as product:
        yield product


def _packed(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _unpacked(text: str) -> dict[str, object]:
    value: dict[str, object] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return value


def _signature(signed: str, key: bytes) -> str:
    return base64.urlsafe_b64encode(hmac.digest(key, signed.encode(), hashlib.sha256)).rstrip(b"=").decode()
