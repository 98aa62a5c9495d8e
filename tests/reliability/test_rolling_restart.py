"""Stop and start the processes of the scale-out profile under load."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field

import httpx

from deploy.local.stack import ProductProcess, Stack
from tests.fixtures.product import Client
from tests.fixtures.stack import signed_in, upload_small
from tests.fixtures.waiting import eventually

CLIENTS = 6


@dataclass
class Load:
    """Requests of several users, and their outcomes."""

    responses: Counter[tuple[str, int | str]] = field(default_factory=Counter)
    slowest: float = 0.0
    over: bool = False
    folders: dict[str, int] = field(default_factory=dict)

    async def run(self, client: Client, who: str) -> None:
        """Read, write and upload in turn until ``over``."""
        number = 0
        while not self.over:
            number += 1
            await self._send(client, "GET", "/api/v1/files")
            name = {"name": f"folder {number}"}
            if await self._send(client, "POST", "/api/v1/folders", json=name) == 201:
                self.folders[who] = self.folders.get(who, 0) + 1
            if number % 5 == 0:
                files = {"file": (f"{number}.txt", b"hello" * 1000)}
                await self._send(client, "POST", "/api/v1/files/upload", files=files, data={"path": "/"})

    async def _send(self, client: Client, method: str, url: str, **body: object) -> int | str:
        began = time.monotonic()
        outcome: int | str
        try:
            outcome = (await client.request(method, url, **body)).status_code  # type: ignore[arg-type]  # httpx's many options
        except httpx.TransportError as error:
            outcome = repr(error)
        self.responses[f"{method} {url}", outcome] += 1
        self.slowest = max(self.slowest, time.monotonic() - began)
        return outcome


async def test_a_rolling_restart_fails_no_request(stack: Stack) -> None:
    """Each API process is restarted in turn, and no request takes effect twice."""
    load = Load()
    async with asyncio.TaskGroup() as tasks:
        for n in range(CLIENTS):
            tasks.create_task(_one_user(stack, load, f"rolling-{n}"))
        await eventually(lambda: len(load.folders) == CLIENTS, why="all clients are at work")
        for process in stack.apis:
            await _restart(stack, process)
        load.over = True
    bad = {what: count for what, count in load.responses.items() if what[1] not in (200, 201)}
    assert not bad, load.responses
    assert load.slowest < 20
    print(f"\n{load.responses.total()} requests, the slowest in {load.slowest:.2f} s")  # noqa: T201  worth seeing


async def test_a_stopping_process_reports_not_ready_before_it_ends(stack: Stack) -> None:
    """After SIGTERM ``/readyz`` returns 503 while requests are still served; then the process ends with code 0."""
    process = stack.apis[0]
    async with signed_in(process.address) as client:
        process.child.send_signal()

        async def is_stopping() -> bool:
            response = await client.get("/readyz")
            return response.status_code == 503 and response.json()["status"] == "stopping"

        await eventually(is_stopping, interval=0.01)
        assert (await client.get("/api/v1/auth/me")).status_code == 200
        assert 0 == await asyncio.to_thread(process.child.wait, 60)
    await _start(stack, process)


async def test_stopping_a_worker_loses_no_event(stack: Stack) -> None:
    """The next worker finishes what it left: every upload is announced once. It ends with code 0."""
    (worker,) = stack.workers
    (relay,) = stack.relays
    async with signed_in(stack.address) as client:
        uploads = [asyncio.create_task(upload_small(client, f"{n}.txt")) for n in range(20)]
        for process in (worker, relay):
            process.child.send_signal()
            assert 0 == await asyncio.to_thread(process.child.wait, 60)
        ids = set(await asyncio.gather(*uploads))
        for process in (worker, relay):
            await _start(stack, process)

        async def announced() -> bool:
            items = (await client.json_of("GET", "/api/v1/notifications?limit=100"))["items"]
            found = [item["payload"]["fileId"] for item in items if item["type"] == "file.ready"]
            assert len(found) == len(set(found))
            return ids == set(found)

        await eventually(announced)


async def _one_user(stack: Stack, load: Load, who: str) -> None:
    async with signed_in(stack.address, who) as client:
        await load.run(client, who)
        items = (await client.json_of("GET", "/api/v1/files?limit=200"))["items"]
        folders = [item for item in items if item["kind"] == "folder"]
        assert len(folders) == min(load.folders[who], 200)


async def _restart(stack: Stack, process: ProductProcess) -> None:
    process.child.send_signal()
    assert 0 == await asyncio.to_thread(process.child.wait, 30), process.child.output()
    await _start(stack, process)


async def _start(stack: Stack, process: ProductProcess) -> None:
    # Not in a thread: the kernel kills the process when the thread that started it ends.
    stack.launch(process)
    await asyncio.to_thread(process.child.wait_until, process.is_ready)
