"""Measure MetaStore alone: memory by file size, and API latency during uploads."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from benchmarks.load import Latency, Load
from benchmarks.measure import GIB, MIB
from benchmarks.servers.metastore import MetaStore

_CLIENTS = 4


@dataclass(frozen=True)
class Memory:
    """The peak memory during an upload of ``size`` bytes; both in bytes."""

    size: int
    peak: int


@dataclass(frozen=True)
class Api:
    """Latency of ``GET /api/v1/files`` without other load and during uploads of ``upload`` bytes a second."""

    quiet: Latency
    busy: Latency
    upload: float


def measure_memory(load: Load, folder: Path, sizes: tuple[int, ...] = (64 * MIB, 4 * GIB)) -> list[Memory]:
    """Measure the peak memory of uploads of growing size, on a fresh server."""
    server = MetaStore(load, folder, 0)
    try:
        measured = []
        for size in sizes:
            server.process.reset_peak()
            server.upload(size)
            measured.append(Memory(size, server.process.peak_memory()))
            server.clear()
        return measured
    finally:
        server.end()


def measure_api(load: Load, folder: Path, size: int, seconds: float = 4.0) -> Api:
    """Measure the latency for four clients that request without a pause, first alone, then during uploads."""
    server = MetaStore(load, folder, 0)
    path = "/api/v1/files"
    try:
        load.requests(server.port, path, _CLIENTS, 0.5, server.cookie)
        quiet = load.requests(server.port, path, _CLIENTS, seconds, server.cookie)
        finished = Event()
        with ThreadPoolExecutor(1) as pool:
            uploading = pool.submit(_upload_until, server, finished, size)
            try:
                busy = load.requests(server.port, path, _CLIENTS, seconds, server.cookie)
            finally:
                finished.set()
            return Api(quiet, busy, uploading.result())
    finally:
        server.end()


def _upload_until(server: MetaStore, finished: Event, size: int) -> float:
    taken, count = 0.0, 0
    while not finished.is_set() or not count:
        taken += server.upload(size).seconds
        count += 1
        server.clear()
    return size * count / taken
