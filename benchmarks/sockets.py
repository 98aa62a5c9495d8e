"""Measure thousands of open sockets on one process: memory, idle CPU, and the time until an event reaches them."""

import asyncio
import base64
import json
import os
import resource
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import cast

import httpx
import uvloop

from benchmarks.load import Load
from benchmarks.servers.metastore import MetaStore

SOCKETS, OF_ONE_USER = 10_000, 1_000
_OPENING = 50
_SETTLE_SECONDS, _IDLE_SECONDS = 5.0, 25.0
_SINGLE_EVENTS, _BROADCASTS = 100, 20
_PAUSE_SECONDS = 0.15
"""Between events: a consumer gathers those that follow each other more closely."""
_LONGEST_SECONDS = 60.0
_PASSWORD = "sockets are many"  # noqa: S105  for a server that runs for minutes on the loopback
_OWN_FILES = 200


@dataclass(frozen=True)
class Sockets:
    """What ``SOCKETS`` sockets cost, in bytes and seconds."""

    count: int
    opening: float
    """CPU of the server to open one."""
    memory: int
    """Resident memory of the server with all of them."""
    memory_each: float
    idle: float
    """Share of one core while nothing happens but pings."""
    single: Sequence[float]
    """From the response of an upload to the notification on the only socket of its user."""
    broadcast: Sequence[float]
    """The same until it is on all ``OF_ONE_USER`` sockets of its user."""


def measure_sockets(load: Load, folder: Path, log: Callable[[str], None]) -> Sockets:
    """Open the sockets, leave them alone for a ping interval, then notify users."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    count = min(SOCKETS, hard - _OWN_FILES)
    server = MetaStore(load, folder, 0)
    try:
        return uvloop.run(_measure(server, count, log))
    finally:
        server.end()


async def _measure(server: MetaStore, count: int, log: Callable[[str], None]) -> Sockets:
    users = [await _User.register(server.port, number) for number in range(1 + count // OF_ONE_USER)]
    log("one socket, so that the library is imported")
    await users[0].open(1)
    memory_before, cpu_before = server.process.memory(), server.process.cpu_seconds()
    log(f"{count} sockets")
    for user in users[1:]:
        await user.open(OF_ONE_USER)
    opening = (server.process.cpu_seconds() - cpu_before) / count
    await asyncio.sleep(_SETTLE_SECONDS)
    cpu_before = server.process.cpu_seconds()
    await asyncio.sleep(_IDLE_SECONDS)
    idle = (server.process.cpu_seconds() - cpu_before) / _IDLE_SECONDS
    memory = server.process.memory()
    log("events")
    single = [await users[0].notify() for _ in range(_SINGLE_EVENTS)]
    broadcast = [await users[1].notify() for _ in range(_BROADCASTS)]
    assert all(socket.is_open for user in users for socket in user.sockets)
    for user in users:
        await user.aclose()
    memory_each = (memory - memory_before) / count
    return Sockets(count, opening, memory, memory_each, idle, sorted(single), sorted(broadcast))


def percentiles(seconds: Sequence[float]) -> tuple[float, float]:
    """Return the median and the 99th percentile, which is the maximum of few."""
    return median(seconds), quantiles(seconds, n=100)[98] if len(seconds) >= _SINGLE_EVENTS else max(seconds)


class _User:
    """A signed-in user and their open sockets."""

    def __init__(self, port: int, api: httpx.AsyncClient) -> None:
        self._port = port
        self._api = api
        self._uploads = 0
        self.sockets: list[_Socket] = []

    @classmethod
    async def register(cls, port: int, number: int) -> "_User":
        api = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=_LONGEST_SECONDS)
        body = {"username": f"user-{number}", "email": f"user-{number}@example.org", "password": _PASSWORD}
        (await api.post("/api/v1/auth/register", json=body)).raise_for_status()
        login = {"username": f"user-{number}", "password": _PASSWORD}
        (await api.post("/api/v1/auth/login", json=login)).raise_for_status()
        return cls(port, api)

    async def open(self, count: int) -> None:
        for start in range(0, count, _OPENING):
            opened = (self._open_one() for _ in range(min(_OPENING, count - start)))
            self.sockets += await asyncio.gather(*opened)

    async def _open_one(self) -> "_Socket":
        cookie = "; ".join(f"{one.name}={one.value}" for one in self._api.cookies.jar)
        loop = asyncio.get_running_loop()
        _transport, socket = await loop.create_connection(lambda: _Socket(self._port, cookie), "127.0.0.1", self._port)
        await asyncio.wait_for(socket.connected, _LONGEST_SECONDS)
        return socket

    async def notify(self) -> float:
        """Upload a small file, and return how long after the response its notification was on all sockets."""
        await asyncio.sleep(_PAUSE_SECONDS)
        arrivals = [socket.next_notification() for socket in self.sockets]
        self._uploads += 1
        files = {"file": (f"{self._uploads}.bin", os.urandom(100))}
        (await self._api.post("/api/v1/files/upload", data={"path": "/"}, files=files)).raise_for_status()
        responded = time.perf_counter()
        arrived = await asyncio.wait_for(asyncio.gather(*arrivals), _LONGEST_SECONDS)
        return max(0.0, max(arrived) - responded)

    async def aclose(self) -> None:
        for socket in self.sockets:
            socket.close()
        await self._api.aclose()


class _Socket(asyncio.Protocol):
    """A client of Socket.IO by WebSocket that offers compression as browsers do, and responds to pings."""

    def __init__(self, port: int, cookie: str) -> None:
        self._handshake = (
            f"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            f"Origin: http://127.0.0.1:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\n"
            "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
            f"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140\r\n"
            f"Cookie: {cookie}\r\n\r\n"
        )
        self._received = bytearray()
        self._inflating = zlib.decompressobj(-15)
        self._is_upgraded = False
        self._transport: asyncio.Transport | None = None
        self._notified: asyncio.Future[float] | None = None
        self.connected: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.is_open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass
        self._transport.write(self._handshake.encode())

    def connection_lost(self, _error: Exception | None) -> None:
        self.is_open = False
        for waiting in (self.connected, self._notified):
            if waiting is not None and not waiting.done():
                waiting.set_exception(ConnectionError("the server closed the socket"))

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._is_upgraded:
            head, end, rest = self._received.partition(b"\r\n\r\n")
            if not end:
                return
            if b" 101 " not in head[:20]:
                self.connected.set_exception(ConnectionError(head.decode()))
                return
            self._is_upgraded, self._received = True, rest
        while (text := self._next_frame()) is not None:
            self._handle(text)

    def next_notification(self) -> "asyncio.Future[float]":
        """Return the arrival of the next notification."""
        self._notified = asyncio.get_running_loop().create_future()
        return self._notified

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _handle(self, text: str) -> None:
        if text.startswith("0"):
            self._send("40")
        elif text.startswith("40"):
            self.is_open = True
            self.connected.set_result(None)
        elif text.startswith("44"):
            self.connected.set_exception(ConnectionError(text))
        elif text == "2":
            self._send("3")
        elif text.startswith("42") and json.loads(text[2:])[0] == "notification" and self._notified:
            self._notified.set_result(time.perf_counter())
            self._notified = None

    def _send(self, text: str | bytes, first: int = 0x81) -> None:
        assert self._transport is not None
        mask = os.urandom(4)
        masked = bytes(
            byte ^ mask[index % 4] for index, byte in enumerate(text.encode() if isinstance(text, str) else text)
        )
        self._transport.write(bytes([first, 0x80 | len(masked)]) + mask + masked)

    def _next_frame(self) -> str | None:
        """Take the next text frame that has completely arrived (RFC 6455, section 5.2)."""
        received = self._received
        if len(received) < 2:
            return None
        start, length = 2, received[1] & 0x7F
        if length >= 126:
            start = 4 if length == 126 else 10
            length = int.from_bytes(received[2:start])
        if len(received) < start + length:
            return None
        payload = bytes(received[start : start + length])
        is_compressed = received[0] & 0x40
        opcode = received[0] & 0x0F
        del received[: start + length]
        if opcode == 9:
            self._send(payload, 0x8A)
            return ""
        if is_compressed:
            payload = self._inflating.decompress(payload + b"\x00\x00\xff\xff")
        return payload.decode()
