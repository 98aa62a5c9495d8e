"""Archives: a folder of small files and some large files as one ZIP file, beside copyparty and ``zip -0``."""

import http.client
import os
import resource
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

from benchmarks.load import Load
from benchmarks.servers.copyparty import Copyparty
from benchmarks.servers.metastore import MetaStore
from benchmarks.small_files import batches, small_files

SMALL_FILES = 3_000
LARGE_FILES = 10
LARGE_SIZE = 64 * 2**20
_BATCH = 200
_BUFFER = 2**20


@dataclass(frozen=True)
class Sent:
    """What it took to send one archive: its bytes, the time and the CPU time of the server in seconds."""

    size: int
    seconds: float
    cpu: float


Measured = Mapping[str, Mapping[str, Sent]]
"""The median of all rounds, by what was archived and by program."""


def measure_archives(load: Load, folder: Path, rounds: int, log: Callable[[str], None]) -> Measured:
    """Send each archive in each round from each program, and return medians."""
    with _prepared(load, folder) as senders:
        taken: dict[str, dict[str, list[Sent]]] = {}
        for number in range(rounds + 1):
            for (content, program), send in senders.items():
                sent = send()
                log(f"{content}, {program}: {sent.seconds:.2f} s, {sent.cpu:.2f} s of CPU")
                if number:  # the first round fills caches
                    taken.setdefault(content, {}).setdefault(program, []).append(sent)
    return {content: {program: _median(sent) for program, sent in one.items()} for content, one in taken.items()}


def _median(sent: Sequence[Sent]) -> Sent:
    return Sent(sent[0].size, median(one.seconds for one in sent), median(one.cpu for one in sent))


@contextmanager
def _prepared(load: Load, folder: Path) -> Iterator[Mapping[tuple[str, str], Callable[[], Sent]]]:
    """Store the same files in all programs' folders, and yield what sends an archive of them."""
    (folder / "metastore").mkdir()
    (folder / "copyparty").mkdir()
    with ExitStack() as running:
        ours = MetaStore(load, folder / "metastore", 0)
        running.callback(ours.end)
        theirs = Copyparty(load, folder / "copyparty", 0)
        running.callback(theirs.end)
        (theirs.files / "whole").unlink()
        contents = {
            f"{SMALL_FILES:,} files of 4 to 40 kB": _add_small(load, folder, ours, theirs.files / "small"),
            f"{LARGE_FILES} files of {LARGE_SIZE >> 20} MiB": _add_large(ours, theirs.files / "large"),
        }
        senders: dict[tuple[str, str], Callable[[], Sent]] = {}
        for (content, ids), name in zip(contents.items(), ("small", "large"), strict=True):
            senders[content, "MetaStore"] = partial(_ours, ours, ids)
            senders[content, "copyparty"] = partial(_theirs, theirs, name)
            senders[content, "zip -0"] = partial(_zip, theirs.files / name)
        yield senders


def _add_small(load: Load, folder: Path, ours: MetaStore, beside: Path) -> list[str]:
    files = small_files(SMALL_FILES, "archived")
    plan = batches(files, folder / "bodies", "/small", ours.cookie, _BATCH)
    load.send(ours.port, plan.requests, 3, plan.data)
    beside.mkdir()
    for one in files:
        (beside / one.name).write_bytes(one.content)
    return _ids(ours, "folder")


def _add_large(ours: MetaStore, beside: Path) -> list[str]:
    beside.mkdir()
    for number in range(LARGE_FILES):
        ours.upload(LARGE_SIZE)
        (beside / f"film {number}.bin").write_bytes(os.urandom(LARGE_SIZE))
    return _ids(ours, "file")


def _ids(ours: MetaStore, kind: str) -> list[str]:
    listing = ours.api.get("/api/v1/files", params={"limit": 100}).raise_for_status().json()
    return [item["id"] for item in listing["items"] if item["kind"] == kind]


def _ours(server: MetaStore, ids: list[str]) -> Sent:
    cpu, started = server.process.cpu_seconds(), time.perf_counter()
    made = server.api.post("/api/v1/archives", json={"ids": ids}).raise_for_status().json()
    size = _received(server.port, urlsplit(made["url"]).path)
    return Sent(size, time.perf_counter() - started, server.process.cpu_seconds() - cpu)


def _theirs(server: Copyparty, name: str) -> Sent:
    cpu, started = server.process.cpu_seconds(), time.perf_counter()
    size = _received(server.process.port, f"/{name}/?zip")
    return Sent(size, time.perf_counter() - started, server.process.cpu_seconds() - cpu)


def _zip(folder: Path) -> Sent:
    """Write an archive to a pipe, as a server would to a socket."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    with subprocess.Popen(["zip", "-0", "-q", "-r", "-", "."], cwd=folder, stdout=subprocess.PIPE) as program:
        assert program.stdout is not None
        buffer, size = bytearray(_BUFFER), 0
        while got := program.stdout.readinto(buffer):  # type: ignore[attr-defined]  # a buffered reader
            size += got
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Sent(size, time.perf_counter() - started, cpu)


def _received(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    connection.request("GET", path)
    response = connection.getresponse()
    if response.status != 200:
        raise RuntimeError(f"{path}: {response.status}")
    buffer, size = bytearray(_BUFFER), 0
    while got := response.readinto(buffer):
        size += got
    connection.close()
    return size
