"""The scale-out profile behaves as one product, whichever process serves a request."""

import asyncio
import os
import time

import httpx

from deploy.local.stack import Stack
from tests.fixtures.product import PASSWORD
from tests.fixtures.stack import listening, signed_in, upload_small
from tests.fixtures.waiting import eventually

MIB = 2**20


async def test_a_notification_reaches_sockets_at_every_api_process(stack: Stack) -> None:
    """The worker saves and sends it; both processes hand it to the user's sockets, once, and to nobody else."""
    async with (
        signed_in(stack.address) as anna,
        signed_in(stack.address) as ben,
        listening(stack.apis[0].address, anna) as here,
        listening(stack.apis[1].address, anna) as there,
        listening(stack.apis[1].address, ben) as at_ben,
    ):
        file_id = await upload_small(anna)
        await eventually(lambda: here.heard and there.heard)
        for listener in (here, there):
            (message,) = [data for event, data in listener.heard if event == "notification"]
            assert isinstance(message, dict)
            assert file_id == message["payload"]["fileId"]
        assert [] == at_ben.heard


async def test_a_session_that_ends_takes_its_sockets_along_at_every_process(stack: Stack) -> None:
    """Signed out at one, the socket at the other is closed within five seconds; other sessions stay."""
    async with (
        signed_in(stack.apis[0].address, "scale-anna") as phone,
        signed_in(stack.address, "scale-anna") as laptop,
        listening(stack.apis[1].address, phone) as at_phone,
        listening(stack.apis[1].address, laptop) as at_laptop,
    ):
        await phone.json_of("POST", "/api/v1/auth/logout", 204)
        await asyncio.wait_for(at_phone.disconnected_by_server.wait(), 5)
        assert not at_laptop.disconnected_by_server.is_set()


async def test_bytes_go_through_the_gateway_to_the_store_and_back(stack: Stack) -> None:
    """A file in parts by presigned URLs, three at a time; no API process sees a byte of it."""
    content = os.urandom(11 * MIB)
    store = f"http://127.0.0.1:{stack.nginx.store_port}/"
    async with signed_in(stack.address) as anna, httpx.AsyncClient(timeout=30) as bare:
        begun = await anna.json_of(
            "POST",
            "/api/v1/files/chunked-upload/initiate",
            201,
            json={"name": "film.bin", "path": "/", "size": len(content), "mimeType": "application/octet-stream"},
        )
        size = begun["partSize"]

        async def send(number: int, url: str) -> dict[str, object]:
            assert url.startswith(store)
            response = await bare.put(url, content=content[(number - 1) * size : number * size])
            assert response.status_code == 200, response.text
            return {"partNumber": number, "etag": response.headers["etag"]}

        parts = await asyncio.gather(*(send(n, url) for n, url in enumerate(begun["uploadUrls"], start=1)))
        done = {"fileId": begun["fileId"], "uploadId": begun["uploadId"], "parts": parts}
        await anna.json_of("POST", "/api/v1/files/chunked-upload/complete", json=done)
        download = await anna.get(f"/api/v1/files/{begun['fileId']}/download")
        assert download.status_code == 302
        assert download.headers["location"].startswith(store)
        got = await bare.get(download.headers["location"])
        assert content == got.content
        assert "nosniff" == got.headers["x-content-type-options"]
        assert got.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
        part = await bare.get(download.headers["location"], headers={"Range": "bytes=5-14"})
        assert (206, content[5:15]) == (part.status_code, part.content)


async def test_long_polling_works_through_the_gateway(stack: Stack) -> None:
    """All requests of one such socket reach the process that it was opened at."""
    async with signed_in(stack.address) as anna, listening(stack.address, anna, "polling") as listener:
        await upload_small(anna)
        await eventually(lambda: listener.heard)


async def test_a_web_socket_works_through_the_gateway(stack: Stack) -> None:
    """The connection is handed through."""
    async with signed_in(stack.address) as anna, listening(stack.address, anna) as listener:
        await upload_small(anna)
        await eventually(lambda: listener.heard)


async def test_every_dependency_is_named_by_every_process(stack: Stack) -> None:
    """API, relay and worker alike; and each has its metrics."""
    async with httpx.AsyncClient() as monitor:
        for part in stack.parts:
            response = await monitor.get(f"{part.address}/readyz")
            assert response.status_code == 200
            assert {"database", "storage", "broker", "cache"} == response.json()["checks"].keys()
            assert "metastore_" in (await monitor.get(f"{part.address}/metrics")).text


async def test_the_gateway_tells_where_a_client_came_from(stack: Stack) -> None:
    """What a client itself claims about that ends at the gateway."""
    async with signed_in(stack.address, "scale-forwarded"):
        pass
    async with httpx.AsyncClient(base_url=stack.address, headers={"X-Forwarded-For": "203.0.113.9"}) as liar:
        await liar.post("/api/v1/auth/login", json={"username": "scale-forwarded", "password": PASSWORD})
        addresses = {s["address"] for s in (await liar.get("/api/v1/auth/sessions")).json()["items"]}
    assert {"127.0.0.1"} == addresses


async def test_a_body_too_large_is_refused_as_the_api_would(stack: Stack) -> None:
    """A problem document, before the body is sent on."""
    async with httpx.AsyncClient(base_url=stack.address) as client:
        response = await client.post("/api/v1/auth/login", content=b"x" * (4 * MIB))
    assert (413, "application/problem+json") == (response.status_code, response.headers["content-type"])
    assert "body-too-large" == response.json()["code"]


async def test_limits_are_counted_over_all_processes(stack: Stack) -> None:
    """Guessing at both processes in turn gains nothing."""
    refused: list[int] = []
    async with signed_in(stack.address, "scale-guessed"), httpx.AsyncClient() as thief:
        began = time.monotonic()
        for number in range(60):
            api = stack.apis[number % 2].address
            guess = {"username": "scale-guessed", "password": f"guess {number}"}
            response = await thief.post(f"{api}/api/v1/auth/login", json=guess)
            if response.status_code == 429:
                refused.append(number)
                break
        assert refused, f"60 guesses in {time.monotonic() - began:.0f} s"
    guess = {"username": "scale-guessed", "password": "yet another"}
    async with httpx.AsyncClient() as thief:
        responses = [await thief.post(f"{api.address}/api/v1/auth/login", json=guess) for api in stack.apis]
    assert [429, 429] == [response.status_code for response in responses]
