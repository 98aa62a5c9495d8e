"""Measure event latency from commit to a user's socket, and the throughput of relays.

This runs on the real scale-out profile: PostgreSQL that syncs each commit, RabbitMQ, Redis and the product's processes.
Events are recorded as the product records them, each in its own transaction.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import socketio  # type: ignore[import-untyped]  # the package has no types
from sqlalchemy import text

from deploy.local.stack import Size, Stack, running
from metastore.features.files.events import FileReady, FileRenamed
from metastore.kit.database.unit_of_work import Database
from metastore.kit.events.outbox_signal import Announcer
from metastore.kit.ids import new_id

RATE, SECONDS = 100, 10
BACKLOG = 10_000
_PASSWORD = "correct horse battery staple"  # noqa: S105  for an account that exists only for the measurement
_OTHER_CONSUMERS = ("analytics", "audit", "files", "indexing", "media", "sockets", "uploads")


@dataclass(frozen=True)
class Events:
    """Seconds from commit to socket for each event, and events per second with one relay and with two."""

    latencies: Sequence[float]
    one_relay: float
    two_relays: float

    def percentile(self, share: float) -> float:
        """Return the latency below which ``share`` (0 to 1) of the events stayed."""
        return sorted(self.latencies)[min(len(self.latencies) - 1, int(len(self.latencies) * share))]


def measure_events(folder: Path) -> Events:
    """Start the stack and measure latency and throughput."""
    folder.chmod(0o755)  # PostgreSQL's user needs to traverse it
    size = Size(apis=1, relays=2, workers=[("notifications",), _OTHER_CONSUMERS])
    with running(Stack(folder, size=size, durable=True)) as stack:
        return asyncio.run(_measure(stack))


async def _measure(stack: Stack) -> Events:
    database = Database(stack.postgresql.url)
    Announcer(database)
    latencies = await _latencies(stack, database)
    for worker in stack.workers:
        worker.child.send_signal()
        worker.child.wait(30)
    two_relays = await _relay_rate(database)
    stack.relays[1].child.send_signal()
    stack.relays[1].child.wait(30)
    one_relay = await _relay_rate(database)
    await database.aclose()
    return Events(latencies, one_relay, two_relays)


async def _latencies(stack: Stack, database: Database) -> list[float]:
    committed: dict[str, float] = {}
    received_at: dict[str, float] = {}
    all_received = asyncio.Event()
    async with httpx.AsyncClient(base_url=stack.address) as client:
        account = {"username": "listener", "email": "listener@example.org", "password": _PASSWORD}
        user = (await client.post("/api/v1/auth/register", json=account)).raise_for_status().json()
        sign_in = await client.post("/api/v1/auth/login", json={"username": "listener", "password": _PASSWORD})
        token = sign_in.raise_for_status().cookies["access_token"]
    socket = socketio.AsyncClient(handle_sigint=False)

    async def receive(event: str, data: object = None) -> None:
        payload = data.get("payload") if isinstance(data, dict) else None
        if event == "notification" and isinstance(payload, dict):
            received_at[str(payload["fileId"])] = time.perf_counter()
            if len(received_at) == RATE * SECONDS:
                all_received.set()

    socket.on("*", receive)
    headers = {"Cookie": f"access_token={token}", "Origin": stack.address}
    await socket.connect(stack.address, headers=headers, transports=["websocket"])
    begin = time.perf_counter()
    for number in range(RATE * SECONDS):
        await asyncio.sleep(max(0.0, begin + number / RATE - time.perf_counter()))
        ready = _ready(str(user["user"]["id"]))
        async with database.transaction() as tx:
            tx.record(ready)
        committed[ready.file_id] = time.perf_counter()
    async with asyncio.timeout(30):
        await all_received.wait()
    await socket.disconnect()
    measured = list(committed)[RATE:]  # the first second is a warm-up
    return [received_at[file_id] - committed[file_id] for file_id in measured]


async def _relay_rate(database: Database) -> float:
    """Return the events per second, of a type with two queues, from the commit of a backlog until none is pending."""
    async with database.transaction() as tx:
        for _ in range(BACKLOG):
            tx.record(FileRenamed(file_id=new_id(), owner_id=new_id(), name="report.pdf", old_name="draft.pdf"))
    begin = time.perf_counter()
    while await _pending(database):  # noqa: ASYNC110  the database cannot notify us
        await asyncio.sleep(0.02)
    return BACKLOG / (time.perf_counter() - begin)


async def _pending(database: Database) -> bool:
    async with database.reading() as tx:
        found = await tx.session.execute(text("SELECT 1 FROM outbox_events WHERE status = 'pending' LIMIT 1"))
        return found.first() is not None


def _ready(owner_id: str) -> FileReady:
    return FileReady(
        file_id=new_id(), owner_id=owner_id, name="report.pdf", path="/report.pdf", size=123_456, mime_type="text/plain"
    )
