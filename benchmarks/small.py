"""Measure many small requests: their rate, and the processor time of the server for each, with all that follows.

A cost covers the whole process tree until the events of the requests are handled. The other servers run in the same
minutes, because ratios of processor time depend little on what else the machine does.
"""

import http.client
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import astuple, dataclass
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any, Protocol

from benchmarks.contender import sync_files
from benchmarks.load import Load
from benchmarks.process import ServerProcess
from benchmarks.servers.bare import Bare
from benchmarks.servers.copyparty import Copyparty
from benchmarks.servers.metastore import MetaStore
from benchmarks.servers.nginx import Nginx
from benchmarks.settled import settled
from benchmarks.small_files import SmallFile, batches, forms, puts, small_files

UPLOADERS, READERS = 6, 4
BATCH, BATCHED = 200, 3_000
_READ_SECONDS, _UPLOAD_SECONDS, _IDLE_SECONDS = 2.0, 4.0, 10.0
_FIRST = 12
_UPLOADS = "/api/v1/files/chunked-upload"


@dataclass(frozen=True)
class Cost:
    """Requests per second, the same until their events are handled, and the server's CPU seconds for each."""

    rate: float
    settled_rate: float
    cpu: float


@dataclass(frozen=True)
class Idle:
    """A server that nobody uses: its share of one core, wake-ups a second, and resident bytes."""

    cpu: float
    wake_ups: float
    memory: int


@dataclass(frozen=True)
class Small:
    """The costs of each kind of request, and of doing nothing."""

    costs: Mapping[str, Cost]
    idle: Idle


class _Server(Protocol):
    name: str
    process: ServerProcess


def measure_small(load: Load, folder: Path, rounds: int, log: Callable[[str], None]) -> Small:
    """Measure the product and the others in interleaved rounds, and return the medians."""
    costs: dict[str, list[Cost]] = {}
    with ExitStack() as running:
        product = _Product(load, folder)
        running.callback(product.server.end)
        others = _Others(load, folder, running)
        for number in range(1, rounds + 1):
            for name, measure in (*others.rows(), *product.rows()):
                log(f"small, round {number} of {rounds}: {name}")
                costs.setdefault(name, []).append(measure())
        medians = {name: _median(several) for name, several in costs.items()}
        return Small(medians, product.idle())


def _median(costs: Sequence[Cost]) -> Cost:
    return Cost(*(median(values) for values in zip(*map(astuple, costs), strict=True)))


class _Others:
    """The servers beside the product."""

    def __init__(self, load: Load, folder: Path, running: ExitStack) -> None:
        self._load = load
        self._folder = folder
        self._bare = Bare(_new(folder, "bare"))
        running.callback(self._bare.end)
        self._servers: list[tuple[_Server, Path]] = []
        for kind in (Nginx, Copyparty):
            home = _new(folder, kind.name)
            server = kind(load, home, 1)
            running.callback(server.end)
            self._servers.append((server, home / "files"))

    def rows(self) -> Iterator[tuple[str, Callable[[], Cost]]]:
        """Yield what to measure."""
        for name, path in (("nothing", "/nothing"), ("one sqlite3 read", "/row"), ("100 rows as dicts", "/rows")):
            yield f"bare FastAPI, {name}", partial(_reading, self._load, self._bare.process, path)
        for server, stored in self._servers:
            yield f"{server.name}, PUT and sync", partial(self._putting, server, stored)

    def _putting(self, server: _Server, stored: Path) -> Cost:
        """Upload the files, then sync and delete them."""
        plan = puts(small_files(BATCHED, "small"), self._folder / "puts")
        before = server.process.cpu_seconds()
        sent = self._load.send(server.process.port, plan.requests, UPLOADERS, plan.data)
        used = server.process.cpu_seconds() - before
        files = [path for path in stored.iterdir() if path.name.startswith("small-")]
        start = time.perf_counter()
        sync_files(files)
        durable = sent.seconds + time.perf_counter() - start
        for path in files:
            path.unlink()
        return Cost(BATCHED / sent.seconds, BATCHED / durable, used / BATCHED)


def _reading(load: Load, process: ServerProcess, path: str, header: str = "", status: int = 200) -> Cost:
    load.requests(process.port, path, READERS, 0.5, header, status=status)
    before = process.cpu_seconds()
    latency = load.requests(process.port, path, READERS, _READ_SECONDS, header, status=status)
    return Cost(latency.rate, latency.rate, (process.cpu_seconds() - before) / latency.count)


class _Product:
    """The product with a folder of 100 files, signed in."""

    def __init__(self, load: Load, folder: Path) -> None:
        self._load = load
        self._folder = folder
        self.server = MetaStore(load, _new(folder, "metastore"), 0)
        self._labels = map(str, count())
        self._send(small_files(100, "listed"), "/listed")
        self._settle()
        listed = self._get("/api/v1/files?path=/listed&limit=100")["items"]
        self._file_id, self._parent_id = str(listed[0]["id"]), str(listed[0]["parentId"])

    def rows(self) -> Iterator[tuple[str, Callable[[], Cost]]]:
        """Yield what to measure."""
        yield "upload", partial(self._uploading, self._send)
        yield "initiate, PUT, complete", partial(self._uploading, self._in_three_steps)
        if "/api/v1/files/upload-batch" in self._get("/openapi.json")["paths"]:
            yield "upload-batch, each file", self._batching
        for name, path, status in (
            ("me", "/api/v1/auth/me", 200),
            ("file", f"/api/v1/files/{self._file_id}", 200),
            ("files, 100 rows", f"/api/v1/files?parentId={self._parent_id}&limit=100", 200),
            ("download", f"/api/v1/files/{self._file_id}/download", 302),
            ("search", "/api/v1/search?q=listed", 200),
            ("notifications", "/api/v1/notifications", 200),
        ):
            yield name, partial(self._reading, path, status)

    def idle(self) -> Idle:
        """Measure it while nothing happens."""
        time.sleep(_IDLE_SECONDS / 2)
        process = self.server.process
        before, woken = process.cpu_seconds(), process.wake_ups()
        time.sleep(_IDLE_SECONDS)
        used, woken = process.cpu_seconds() - before, process.wake_ups() - woken
        return Idle(used / _IDLE_SECONDS, woken / _IDLE_SECONDS, process.memory())

    def _uploading(self, send: Callable[[list[SmallFile], str], None]) -> Cost:
        """Upload for some seconds, as many files as the first few promise."""
        first, label = next(self._labels), next(self._labels)
        start = time.perf_counter()
        send(small_files(_FIRST, first), f"/{first}")
        self._settle()
        promised = int(_FIRST * _UPLOAD_SECONDS / (time.perf_counter() - start))
        files = small_files(max(_FIRST, min(BATCHED, promised)), label)
        return self._cost(len(files), lambda: send(files, f"/{label}"))

    def _batching(self) -> Cost:
        label, cookie = next(self._labels), self.server.cookie
        plan = batches(small_files(BATCHED, label), self._folder / "batches", f"/{label}", cookie, BATCH)
        return self._cost(BATCHED, lambda: self._load.send(self.server.port, plan.requests, UPLOADERS // 2, plan.data))

    def _reading(self, path: str, status: int) -> Cost:
        process, cookie = self.server.process, self.server.cookie
        self._load.requests(self.server.port, path, READERS, 0.5, cookie, status=status)
        self._settle()
        before, start = process.cpu_seconds(), time.perf_counter()
        latency = self._load.requests(self.server.port, path, READERS, _READ_SECONDS, cookie, status=status)
        settled = latency.count / (self._settle() - start)
        return Cost(latency.rate, settled, (process.cpu_seconds() - before) / latency.count)

    def _cost(self, files: int, work: Callable[[], object]) -> Cost:
        before, start = self.server.process.cpu_seconds(), time.perf_counter()
        work()
        responded = time.perf_counter() - start
        settled = self._settle() - start
        return Cost(files / responded, files / settled, (self.server.process.cpu_seconds() - before) / files)

    def _send(self, files: list[SmallFile], folder: str) -> None:
        plan = forms(files, self._folder / "forms", folder, self.server.cookie)
        self._load.send(self.server.port, plan.requests, UPLOADERS, plan.data)

    def _in_three_steps(self, files: list[SmallFile], folder: str) -> None:
        with ThreadPoolExecutor(UPLOADERS) as pool:
            lanes = [files[lane::UPLOADERS] for lane in range(UPLOADERS)]
            list(pool.map(lambda lane: self._upload_lane(lane, folder), lanes))

    def _upload_lane(self, files: list[SmallFile], folder: str) -> None:
        name, _, cookie = self.server.cookie.partition(": ")
        headers = {name: cookie, "Content-Type": "application/json"}
        with closing(http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)) as connection:
            for one in files:
                body = {"name": one.name, "path": folder, "size": len(one.content), "mimeType": "image/x-unknown"}
                begun = _request(connection, "POST", f"{_UPLOADS}/initiate", json.dumps(body).encode(), headers)
                url = str(json.loads(begun[1])["uploadUrls"][0])
                etag = _request(connection, "PUT", "/" + url.split("/", 3)[3], one.content, {})[0]
                ids = {key: json.loads(begun[1])[key] for key in ("fileId", "uploadId")}
                parts = {**ids, "parts": [{"partNumber": 1, "etag": etag}]}
                _request(connection, "POST", f"{_UPLOADS}/complete", json.dumps(parts).encode(), headers)

    def _get(self, path: str) -> dict[str, Any]:
        response = self.server.api.get(path)
        response.raise_for_status()
        parsed: dict[str, Any] = response.json()
        return parsed

    def _settle(self) -> float:
        return settled(self.server.process, self.server.database)


def _request(
    connection: http.client.HTTPConnection, method: str, path: str, body: bytes, headers: Mapping[str, str]
) -> tuple[str, bytes]:
    """Return the ETag and the body of the response."""
    connection.request(method, path, body, dict(headers))
    response = connection.getresponse()
    content = response.read()
    if response.status >= 300:
        raise RuntimeError(f"{method} {path}: {response.status} {content[:300]!r}")
    return response.headers.get("ETag", ""), content


def _new(folder: Path, name: str) -> Path:
    created = folder / name
    created.mkdir()
    return created
