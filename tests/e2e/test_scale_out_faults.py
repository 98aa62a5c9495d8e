"""The effects of an outage of each server of the stack, and the recovery."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from deploy.local.servers import Server
from deploy.local.stack import Stack
from tests.fixtures.product import PASSWORD, Client
from tests.fixtures.stack import listening, signed_in, start_again, upload_small
from tests.fixtures.waiting import eventually


@contextmanager
def stopped(server: Server) -> Iterator[None]:
    """Kill a server for the duration of the block."""
    server.child.kill()
    try:
        yield
    finally:
        start_again(server)


async def checks_of(address: str) -> dict[str, str]:
    """Return the checks of ``/readyz``."""
    async with httpx.AsyncClient(timeout=10) as monitor:
        checks: dict[str, str] = (await monitor.get(f"{address}/readyz")).json()["checks"]
        return checks


async def test_without_the_database_the_api_returns_503_and_recovers(stack: Stack) -> None:
    """With ``Retry-After``, while ``/readyz`` names it; everything works within five seconds of its return."""
    async with signed_in(stack.address) as anna:
        with stopped(stack.postgresql):
            response = await anna.get("/api/v1/files")
            assert (503, "application/problem+json") == (response.status_code, response.headers["content-type"])
            assert int(response.headers["retry-after"]) > 0
            assert "down" == (await checks_of(stack.apis[0].address))["database"]
            assert 200 == (await anna.get("/healthz")).status_code
        back = time.monotonic()

        async def works() -> bool:
            return (await anna.get("/api/v1/files")).status_code == 200

        await eventually(works, timeout=5, interval=0.1)
        await upload_small(anna)
        await eventually(lambda: _has_notifications(anna, 1), why=f"{time.monotonic() - back:.1f} s after")
        await _all_ready(stack)


async def test_without_the_broker_no_event_is_lost(stack: Stack) -> None:
    """Uploads still succeed, and are announced after the outage."""
    async with signed_in(stack.address) as anna, listening(stack.apis[1].address, anna) as listener:
        with stopped(stack.rabbitmq):
            for number in range(3):
                await upload_small(anna, f"{number}.txt")
            assert "down" == (await checks_of(stack.apis[0].address))["broker"]
        await eventually(lambda: _has_notifications(anna, 3))
        await eventually(lambda: 3 == sum(event == "notification" for event, _ in listener.received))
        await _all_ready(stack)


async def test_without_the_cache_everything_still_works(stack: Stack) -> None:
    """Sign-in, uploads, notifications, rate limits and closing the sockets of ended sessions do not need it."""
    async with signed_in(stack.address, "cacheless") as anna, signed_in(stack.address, "cacheless") as phone:
        async with listening(stack.apis[1].address, phone) as at_phone:
            with stopped(stack.redis):
                await upload_small(anna)
                await eventually(lambda: _has_notifications(anna, 1))
                assert "down" == (await checks_of(stack.apis[0].address))["cache"]
                async with signed_in(stack.apis[0].address, "cacheless") as again:
                    await again.json_of("GET", "/api/v1/files")
                assert 429 in await _guesses(stack.apis[0].address, "cacheless")
                await phone.json_of("POST", "/api/v1/auth/logout", 204)
                await asyncio.wait_for(at_phone.disconnected_by_server.wait(), 5)
                assert 401 == (await phone.get("/api/v1/auth/me")).status_code
        await _all_ready(stack)

        async with listening(stack.apis[0].address, anna) as here, listening(stack.apis[1].address, anna) as there:

            async def both_receive() -> bool:
                await upload_small(anna, f"{time.monotonic()}.txt")
                await asyncio.wait([asyncio.create_task(_wait_briefly(lambda: here.received and there.received))])
                return bool(here.received and there.received)

            await eventually(both_receive, why="messages reach both processes again")


async def test_without_the_store_only_requests_for_bytes_fail(stack: Stack) -> None:
    """They are refused with 503 and ``Retry-After``, and succeed after the outage."""
    async with signed_in(stack.address) as anna:
        with stopped(stack.seaweedfs):
            await anna.json_of("GET", "/api/v1/files")
            response = await anna.post("/api/v1/files/upload", files={"file": ("a.txt", b"hello")}, data={"path": "/"})
            assert 503 == response.status_code
            assert "retry-after" in response.headers
            assert "down" == (await checks_of(stack.apis[0].address))["storage"]

        async def works() -> bool:
            files = {"file": ("b.txt", b"hello")}
            return (await anna.post("/api/v1/files/upload", files=files, data={"path": "/"})).status_code == 201

        await eventually(works, interval=0.2)
        await _all_ready(stack)


async def _has_notifications(client: Client, count: int) -> bool:
    items = (await client.json_of("GET", "/api/v1/notifications"))["items"]
    return len([item for item in items if item["type"] == "file.ready"]) == count


async def _guesses(address: str, name: str) -> list[int]:
    async with httpx.AsyncClient(base_url=address, timeout=30) as attacker:
        guess = {"username": name, "password": f"not {PASSWORD}"}
        return [(await attacker.post("/api/v1/auth/login", json=guess)).status_code for _ in range(12)]


async def _wait_briefly(condition: object) -> None:
    """Wait two seconds at most for ``condition``, whether or not it holds then."""
    assert callable(condition)
    try:
        await eventually(condition, timeout=2)
    except AssertionError:
        return


async def _all_ready(stack: Stack) -> None:
    """Wait until every process is ready, and assert that none of them has ended."""

    async def ready() -> bool:
        assert stack.ended() is None
        return all(await asyncio.gather(*(asyncio.to_thread(process.is_ready) for process in stack.parts)))

    await eventually(ready, interval=0.2, why="all processes are ready")
