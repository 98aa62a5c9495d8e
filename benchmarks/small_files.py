"""Many small files, and the requests that upload them."""

import os
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from benchmarks.load import Send

SMALLEST, LARGEST = 4_000, 40_000
_Item = TypeVar("_Item")
_BOUNDARY = "benchmark-7f3a"
_FORM = f"Content-Type: multipart/form-data; boundary={_BOUNDARY}"


@dataclass(frozen=True)
class SmallFile:
    """A file in memory."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Plan:
    """Requests whose bodies are ranges of the file ``data``."""

    requests: Sequence[Send]
    data: Path


def small_files(count: int, label: str) -> list[SmallFile]:
    """Make files of random bytes, with sizes that are equal in each run."""
    sizes = random.Random(count)
    return [
        SmallFile(f"{label}-{number:05}.bin", os.urandom(sizes.randrange(SMALLEST, LARGEST))) for number in range(count)
    ]


def puts(files: Sequence[SmallFile], data: Path) -> Plan:
    """Return a PUT for each file, as nginx and copyparty take it."""
    return _plan(data, files, lambda one: ("PUT", f"/{one.name}", one.content), ())


def forms(files: Sequence[SmallFile], data: Path, folder: str, cookie: str) -> Plan:
    """Return a ``POST /files/upload`` for each file."""
    return _plan(data, files, lambda one: ("POST", "/api/v1/files/upload", _form(folder, [one])), (cookie, _FORM))


def batches(files: Sequence[SmallFile], data: Path, folder: str, cookie: str, size: int) -> Plan:
    """Return a ``POST /files/upload-batch`` for each ``size`` files."""
    groups = [files[start : start + size] for start in range(0, len(files), size)]
    path = "/api/v1/files/upload-batch"
    return _plan(data, groups, lambda group: ("POST", path, _form(folder, group)), (cookie, _FORM))


def _plan(
    data: Path, items: Sequence[_Item], request: Callable[[_Item], tuple[str, str, bytes]], headers: tuple[str, ...]
) -> Plan:
    requests = []
    with data.open("wb") as file:
        for item in items:
            method, path, body = request(item)
            requests.append(Send(method, path, file.tell(), len(body), headers))
            file.write(body)
    return Plan(requests, data)


def _form(folder: str, files: Sequence[SmallFile]) -> bytes:
    field = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="path"\r\n\r\n{folder}\r\n'
    parts = [field.encode()]
    for one in files:
        head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{one.name}"\r\n'
        parts += [head.encode(), b"Content-Type: application/octet-stream\r\n\r\n", one.content, b"\r\n"]
    return b"".join([*parts, f"--{_BOUNDARY}--\r\n".encode()])
