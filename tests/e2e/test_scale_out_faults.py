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
    """Stop that server for the block."""
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


async def test_without_the_database_the_api_says_come_again(stack: Stack) -> None:
    """503 with Retry-After, named by ``/readyz``; within five seconds of its return everything works again."""
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
        await eventually(lambda: _announced(anna, 1), why=f"{time.monotonic() - back:.1f} s after")
        await _all_ready(stack)


async def test_without_the_broker_nothing_is_lost(stack: Stack) -> None:
    """Uploads go on and are announced once it is back."""
    async with signed_in(stack.address) as anna, listening(stack.apis[1].address, anna) as listener:
        with stopped(stack.rabbitmq):
            for number in range(3):
                await upload_small(anna, f"{number}.txt")
            assert "down" == (await checks_of(stack.apis[0].address))["broker"]
        await eventually(lambda: _announced(anna, 3))
        await eventually(lambda: len(listener.heard) == 3)
        await _all_ready(stack)


async def test_without_the_cache_only_the_shortcuts_are_gone(stack: Stack) -> None:
    """People sign in, upload and are told; guessing is still limited; a session that ends takes its sockets along."""
    async with signed_in(stack.address, "cacheless") as anna, signed_in(stack.address, "cacheless") as phone:
        async with listening(stack.apis[1].address, phone) as at_phone:
            with stopped(stack.redis):
                await upload_small(anna)
                await eventually(lambda: _announced(anna, 1))
                assert "down" == (await checks_of(stack.apis[0].address))["cache"]
                async with signed_in(stack.apis[0].address, "cacheless") as again:
                    await again.json_of("GET", "/api/v1/files")
                assert 429 in await _guesses(stack.apis[0].address, "cacheless")
                await phone.json_of("POST", "/api/v1/auth/logout", 204)
                await asyncio.wait_for(at_phone.disconnected_by_server.wait(), 5)
                assert 401 == (await phone.get("/api/v1/auth/me")).status_code
        await _all_ready(stack)

        async with listening(stack.apis[0].address, anna) as here, listening(stack.apis[1].address, anna) as there:

            async def both_hear() -> bool:
                await upload_small(anna, f"{time.monotonic()}.txt")
                await asyncio.wait([asyncio.create_task(_settle(lambda: here.heard and there.heard))])
                return bool(here.heard and there.heard)

            await eventually(both_hear, why="messages go round again")


async def test_without_the_store_the_rest_goes_on(stack: Stack) -> None:
    """What needs no bytes works; what does is refused with the advice to come again, and works afterwards."""
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


async def _announced(client: Client, count: int) -> bool:
    items = (await client.json_of("GET", "/api/v1/notifications"))["items"]
    return len([item for item in items if item["type"] == "file.ready"]) == count


async def _guesses(address: str, name: str) -> list[int]:
    async with httpx.AsyncClient(base_url=address, timeout=30) as thief:
        guess = {"username": name, "password": f"not {PASSWORD}"}
        return [(await thief.post("/api/v1/auth/login", json=guess)).status_code for _ in range(12)]


async def _settle(heard: object) -> None:
    assert callable(heard)
    try:
        await eventually(heard, timeout=2)
    except AssertionError:
        return


async def _all_ready(stack: Stack) -> None:
    """Every process lives and is ready, without having been started again."""

    async def ready() -> bool:
        assert stack.ended() is None
        return all(await asyncio.gather(*(asyncio.to_thread(part.is_ready) for part in stack.parts)))

    await eventually(ready, interval=0.2, why="all processes are ready")
