"""The load generator: ``load.c``, compiled on first use."""

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).parent / "load.c"
# Not a multiple of any part size, so that no two parts of a GiB are equal.
_DATA_SIZE = 64 * 2**20 + 7 * 4096


@dataclass(frozen=True)
class Send:
    """A request with a body of ``length`` bytes. ``lane`` is the connection that sends it; ``None`` means any."""

    method: str
    path: str
    offset: int
    length: int
    headers: tuple[str, ...] = ()
    lane: int | None = None

    def line(self) -> str:
        """Return its line in the plan."""
        lane = "-" if self.lane is None else str(self.lane)
        headers = "".join(f"{header}|" for header in self.headers)
        return f"{lane}\t{self.method}\t{self.path}\t{self.offset}\t{self.length}\t{headers}\n"


@dataclass(frozen=True)
class Sent:
    """The result of ``send``: the duration in seconds, and the ETags of the responses."""

    seconds: float
    etags: list[str]


@dataclass(frozen=True)
class Latency:
    """Responses per second, percentiles of their latency in seconds, and the number of responses."""

    rate: float
    p50: float
    p99: float
    count: int


class Load:
    """Runs the load generator. ``folder`` holds its program and its data."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._program = folder / "load"
        self._data = folder / "data"
        subprocess.run(
            ["gcc", "-O2", "-Wall", "-Wextra", "-Wno-unused-result", "-pthread", SOURCE, "-o", self._program],
            check=True,
        )
        self._data.write_bytes(os.urandom(_DATA_SIZE))

    def content(self, offset: int, length: int) -> bytes:
        """Return the bytes that are sent for this range."""
        start = offset % _DATA_SIZE
        with self._data.open("rb") as file:
            file.seek(start)
            content = file.read(length)
            file.seek(0)
            return content + file.read(length - len(content))

    def write_file(self, path: Path, size: int) -> None:
        """Write the content to a file and sync it."""
        with path.open("wb") as file:
            for offset in range(0, size, _DATA_SIZE):
                file.write(self.content(0, min(_DATA_SIZE, size - offset)))
            file.flush()
            os.fsync(file.fileno())

    def send(self, port: int, requests: Sequence[Send], connections: int, data: Path | None = None) -> Sent:
        """Send all requests. Their bodies are ranges of ``data``, if given."""
        plan = self.folder / "plan"
        plan.write_text("".join(request.line() for request in requests))
        first, *others = self._run("send", port, plan, data or self._data, connections)
        return Sent(_number(first, "seconds"), [line.partition("\t")[2].strip('"') for line in others])

    def fetch(self, port: int, path: str, connections: int) -> float:
        """Download ``path`` once on each connection; return the total bytes per second."""
        (first,) = self._run("fetch", port, path, connections)
        return _number(first, "bytes") / _number(first, "seconds")

    def ranges(self, port: int, path: str, size: int, connections: int, seconds: float) -> Latency:
        """Request random ranges of 64 KiB."""
        (first,) = self._run("ranges", port, path, size, connections, seconds)
        return _latency(first)

    def requests(
        self, port: int, path: str, connections: int, seconds: float, header: str = "", *, status: int = 200
    ) -> Latency:
        """Send the same request repeatedly, and expect ``status``."""
        headers = [header] if header else []
        (first,) = self._run("requests", port, path, connections, seconds, status, *headers)
        return _latency(first)

    def _run(self, *arguments: object) -> list[str]:
        command = [str(self._program), *map(str, arguments)]
        completed = subprocess.run(command, check=False, capture_output=True, text=True)
        if completed.returncode:
            raise RuntimeError(f"{' '.join(command)}: {completed.stderr[:2000]}{completed.stdout[:200]}")
        return completed.stdout.splitlines()


def parts_of(size: int, part_size: int) -> Iterator[tuple[int, int]]:
    """Yield the offset and length of each part."""
    for offset in range(0, size, part_size):
        yield offset, min(part_size, size - offset)


def _number(line: str, name: str) -> float:
    values: dict[str, float] = json.loads(line)
    return values[name]


def _latency(line: str) -> Latency:
    count = _number(line, "count")
    return Latency(count / _number(line, "seconds"), _number(line, "p50"), _number(line, "p99"), int(count))
