"""On SIGTERM, running requests finish and the exit code is 0."""

import asyncio
import time
from collections.abc import AsyncIterator

import httpx
import socketio  # type: ignore[import-untyped]  # the package has no types

from tests.fixtures.process import MetastoreProcess
from tests.fixtures.waiting import eventually
from tests.reliability.http_uploads import Sending, new_user, some_bytes
from tests.reliability.product_launch import Launch


async def test_shutdown_waits_for_running_requests(launch: Launch) -> None:
    """A part that is being sent at SIGTERM gets its response, and is there after the next start."""
    product = launch()
    product.start()
    async with new_user(product.address) as client:
        sending = await Sending.begin(client, some_bytes(3_000_000))
        resume, under_way = asyncio.Event(), asyncio.Event()

        async def pieces() -> AsyncIterator[bytes]:
            yield sending.content[:1_000_000]
            under_way.set()
            await resume.wait()
            yield sending.content[1_000_000:]

        headers = {"Content-Length": str(len(sending.content))}
        running = asyncio.create_task(client.put(sending.urls[0], content=pieces(), headers=headers))
        await under_way.wait()
        stopping = asyncio.create_task(asyncio.to_thread(product.terminate))
        await eventually(lambda: _refuses_connections(product), timeout=5, why="new connections are refused")
        resume.set()
        response = await running
        assert response.status_code == 200
        assert await stopping == 0
        product.start()
        assert await sending.state() == {1: response.headers["etag"].strip('"')}
        assert product.terminate() == 0
    assert "Traceback" not in product.output()


async def test_idle_connections_and_sockets_do_not_delay_shutdown(launch: Launch) -> None:
    """An open socket and a kept-alive connection are closed, and the process ends within seconds."""
    product = launch()
    product.start()
    async with new_user(product.address) as client:
        cookie = f"access_token={client.cookies['access_token']}"
        listener = socketio.AsyncClient(reconnection=False, handle_sigint=False)
        await listener.connect(product.address, headers={"Cookie": cookie}, transports=["websocket"])
        began = time.monotonic()
        assert await asyncio.to_thread(product.terminate) == 0
        assert time.monotonic() - began < 10
        await eventually(lambda: not listener.connected, why="the socket is closed")
        await listener.disconnect()


async def _refuses_connections(product: MetastoreProcess) -> bool:
    try:
        async with httpx.AsyncClient(timeout=60) as fresh:
            await fresh.get(f"{product.address}/healthz", timeout=1)
    except httpx.TransportError:
        return True
    return False
