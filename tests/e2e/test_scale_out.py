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
    """The worker sends it; each API process emits it once to the sockets of its user, and to nobody else."""
    async with (
        signed_in(stack.address) as anna,
        signed_in(stack.address) as ben,
        listening(stack.apis[0].address, anna) as here,
        listening(stack.apis[1].address, anna) as there,
        listening(stack.apis[1].address, ben) as at_ben,
    ):
        file_id = await upload_small(anna)
        await eventually(lambda: all("notification" in dict(listener.received) for listener in (here, there)))
        for listener in (here, there):
            (message,) = [data for event, data in listener.received if event == "notification"]
            assert isinstance(message, dict)
            assert file_id == message["payload"]["fileId"]
        assert [] == at_ben.received


async def test_ending_a_session_closes_its_sockets_at_every_process(stack: Stack) -> None:
    """After a sign-out at one process, the socket at the other closes within five seconds; other sessions stay open."""
    async with (
        signed_in(stack.apis[0].address, "scale-anna") as phone,
        signed_in(stack.address, "scale-anna") as laptop,
        listening(stack.apis[1].address, phone) as at_phone,
        listening(stack.apis[1].address, laptop) as at_laptop,
    ):
        await phone.json_of("POST", "/api/v1/auth/logout", 204)
        await asyncio.wait_for(at_phone.disconnected_by_server.wait(), 5)
        assert not at_laptop.disconnected_by_server.is_set()


async def test_uploads_and_downloads_pass_through_the_gateway_to_the_store(stack: Stack) -> None:
    """Parts are sent to presigned URLs in parallel; no API process receives a byte of them."""
    content = os.urandom(11 * MIB)
    store = f"http://127.0.0.1:{stack.nginx.store_port}/"
    async with signed_in(stack.address) as anna, httpx.AsyncClient(timeout=30) as anonymous:
        initiated = await anna.json_of(
            "POST",
            "/api/v1/files/chunked-upload/initiate",
            201,
            json={"name": "film.bin", "path": "/", "size": len(content), "mimeType": "application/octet-stream"},
        )
        size = initiated["partSize"]

        async def send(number: int, url: str) -> dict[str, object]:
            assert url.startswith(store)
            response = await anonymous.put(url, content=content[(number - 1) * size : number * size])
            assert response.status_code == 200, response.text
            return {"partNumber": number, "etag": response.headers["etag"]}

        parts = await asyncio.gather(*(send(n, url) for n, url in enumerate(initiated["uploadUrls"], start=1)))
        done = {"fileId": initiated["fileId"], "uploadId": initiated["uploadId"], "parts": parts}
        await anna.json_of("POST", "/api/v1/files/chunked-upload/complete", json=done)
        download = await anna.get(f"/api/v1/files/{initiated['fileId']}/download")
        assert download.status_code == 302
        assert download.headers["location"].startswith(store)
        got = await anonymous.get(download.headers["location"])
        assert content == got.content
        assert "nosniff" == got.headers["x-content-type-options"]
        assert got.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
        part = await anonymous.get(download.headers["location"], headers={"Range": "bytes=5-14"})
        assert (206, content[5:15]) == (part.status_code, part.content)


async def test_long_polling_works_through_the_gateway(stack: Stack) -> None:
    """All requests of one socket reach the process at which it was opened."""
    async with signed_in(stack.address) as anna, listening(stack.address, anna, "polling") as listener:
        await upload_small(anna)
        await eventually(lambda: listener.received)


async def test_a_web_socket_works_through_the_gateway(stack: Stack) -> None:
    """The gateway forwards the upgraded connection."""
    async with signed_in(stack.address) as anna, listening(stack.address, anna) as listener:
        await upload_small(anna)
        await eventually(lambda: listener.received)


async def test_every_process_reports_every_dependency(stack: Stack) -> None:
    """API, relay and worker all list them in ``/readyz``, and each serves metrics."""
    async with httpx.AsyncClient(timeout=60) as monitor:
        for process in stack.parts:
            response = await monitor.get(f"{process.address}/readyz")
            assert response.status_code == 200
            assert {"database", "storage", "broker", "cache"} == response.json()["checks"].keys()
            assert "metastore_" in (await monitor.get(f"{process.address}/metrics")).text


async def test_the_gateway_passes_on_the_real_client_address(stack: Stack) -> None:
    """The gateway discards an ``X-Forwarded-For`` header that the client sent."""
    async with signed_in(stack.address, "scale-forwarded"):
        pass
    async with httpx.AsyncClient(
        base_url=stack.address, headers={"X-Forwarded-For": "203.0.113.9"}, timeout=60
    ) as client:
        await client.post("/api/v1/auth/login", json={"username": "scale-forwarded", "password": PASSWORD})
        addresses = {s["address"] for s in (await client.get("/api/v1/auth/sessions")).json()["items"]}
    assert {"127.0.0.1"} == addresses


async def test_the_gateway_refuses_a_large_body_with_a_problem_document(stack: Stack) -> None:
    """It responds before it has forwarded the body."""
    async with httpx.AsyncClient(base_url=stack.address, timeout=60) as client:
        response = await client.post("/api/v1/auth/login", content=b"x" * (4 * MIB))
    assert (413, "application/problem+json") == (response.status_code, response.headers["content-type"])
    assert "body-too-large" == response.json()["code"]


async def test_rate_limits_count_over_all_processes(stack: Stack) -> None:
    """Guessing passwords at both processes in turn does not raise the limit."""
    refused: list[int] = []
    async with signed_in(stack.address, "scale-guessed"), httpx.AsyncClient(timeout=60) as attacker:
        began = time.monotonic()
        for number in range(60):
            api = stack.apis[number % 2].address
            guess = {"username": "scale-guessed", "password": f"guess {number}"}
            response = await attacker.post(f"{api}/api/v1/auth/login", json=guess)
            if response.status_code == 429:
                refused.append(number)
                break
        assert refused, f"60 guesses in {time.monotonic() - began:.0f} s"
    guess = {"username": "scale-guessed", "password": "yet another"}
    async with httpx.AsyncClient(timeout=60) as attacker:
        responses = [await attacker.post(f"{api.address}/api/v1/auth/login", json=guess) for api in stack.apis]
    assert [429, 429] == [response.status_code for response in responses]
