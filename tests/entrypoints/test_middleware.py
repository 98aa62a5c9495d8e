"""The middleware around the HTTP API."""

from collections.abc import AsyncIterator
from ipaddress import IPv4Network

import httpx
import pytest
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from metastore.entrypoints.middleware import RequestMiddleware, request_id_of
from metastore.kit.context import current_context

ORIGIN = "https://drive.example.org"


async def echo_context(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that returns the request context."""
    context = current_context()
    assert context is not None
    body = {"address": context.address, "requestId": context.request_id, "origin": context.origin}
    await JSONResponse(body)(scope, receive, send)


def client_of(middleware: RequestMiddleware, peer: str = "203.0.113.9") -> httpx.AsyncClient:
    transport = httpx.ASGITransport(middleware, client=(peer, 1234))
    return httpx.AsyncClient(transport=transport, base_url=ORIGIN)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(RequestMiddleware(echo_context, public_origin=ORIGIN)) as client:
        yield client


async def test_every_response_has_a_request_id_and_security_headers(client: httpx.AsyncClient) -> None:
    response = await client.get("/x")
    assert response.headers["x-request-id"] == response.json()["requestId"]
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["cache-control"] == "no-store"


async def test_a_valid_request_id_of_the_client_is_kept(client: httpx.AsyncClient) -> None:
    response = await client.get("/x", headers={"X-Request-ID": "trace-1:2.3"})
    assert response.headers["x-request-id"] == "trace-1:2.3"


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "<script>", "é"])
def test_an_invalid_request_id_is_replaced(given: str) -> None:
    assert request_id_of(Headers({"X-Request-ID": given})) != given


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://drive.example.org"},
        {"Origin": "https://drive.example.org.evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": ORIGIN, "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_a_change_requested_by_another_site_is_refused(
    client: httpx.AsyncClient, method: str, headers: dict[str, str]
) -> None:
    response = await client.request(method, "/x", headers=headers)
    assert response.status_code == 403
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["code"] == "cross-site-request"


@pytest.mark.parametrize(
    "headers", [{}, {"Origin": ORIGIN}, {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}]
)
async def test_our_own_pages_and_other_clients_may_make_changes(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    assert (await client.post("/x", headers=headers)).status_code == 200


async def test_reads_from_another_site_are_not_refused(client: httpx.AsyncClient) -> None:
    assert (await client.get("/x", headers={"Sec-Fetch-Site": "cross-site"})).status_code == 200


async def test_without_a_public_url_the_host_header_is_our_origin() -> None:
    async with client_of(RequestMiddleware(echo_context)) as client:
        assert (await client.post("/x", headers={"Origin": ORIGIN})).status_code == 200
        assert (await client.post("/x", headers={"Origin": "https://evil.example"})).status_code == 403


async def test_forwarded_addresses_are_trusted_from_configured_proxies_only() -> None:
    forged = {"X-Forwarded-For": "198.51.100.1"}
    async with client_of(RequestMiddleware(echo_context)) as client:
        assert (await client.get("/x", headers=forged)).json()["address"] == "203.0.113.9"
    trusting = RequestMiddleware(echo_context, trusted_proxies=[IPv4Network("10.0.0.0/8")])
    async with client_of(trusting, peer="10.1.2.3") as client:
        assert (await client.get("/x", headers=forged)).json()["address"] == "198.51.100.1"


async def test_the_last_address_before_our_proxies_is_the_client() -> None:
    middleware = RequestMiddleware(echo_context, trusted_proxies=[IPv4Network("10.0.0.0/8")])
    async with client_of(middleware, peer="10.1.2.3") as client:
        response = await client.get("/x", headers={"X-Forwarded-For": "1.1.1.1, 198.51.100.7, 10.9.9.9"})
    assert response.json()["address"] == "198.51.100.7"


async def test_urls_have_the_origin_of_the_request() -> None:
    async with client_of(RequestMiddleware(echo_context)) as client:
        response = await client.get("http://box:8080/x", headers={"X-Forwarded-Proto": "https"})
        assert response.json()["origin"] == "http://box:8080"
    behind_tls = RequestMiddleware(echo_context, trusted_proxies=[IPv4Network("10.0.0.0/8")])
    async with client_of(behind_tls, peer="10.1.2.3") as client:
        response = await client.get("http://box/x", headers={"X-Forwarded-Proto": "https"})
        assert response.json()["origin"] == "https://box"
    async with client_of(RequestMiddleware(echo_context, public_origin=ORIGIN)) as client:
        assert (await client.get("http://box/x")).json()["origin"] == ORIGIN
