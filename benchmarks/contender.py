"""The interface of a server that is compared with others."""

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchmarks.process import ServerProcess

PART_SIZE = 5 * 2**20
PARALLEL = 3


@dataclass(frozen=True)
class Uploaded:
    """An upload: seconds until the last response, and the files that the server wrote.

    ``durable`` means that a response implies that the bytes are on disk; otherwise ``files`` still have to be synced.
    """

    seconds: float
    durable: bool
    files: list[Path]


class Contender(Protocol):
    """A running server that is compared with others."""

    name: str
    process: ServerProcess
    many_readers: bool
    """Whether it serves ranges, and one file to several clients at once."""

    def upload(self, size: int) -> Uploaded:
        """Upload ``size`` bytes, three parts at a time."""
        ...

    def clear(self) -> None:
        """Delete the last upload."""
        ...

    def download_path(self) -> str:
        """Return the path of a file of the measured size, for GET."""
        ...

    def end(self) -> None:
        """Stop the server."""
        ...


def sync_files(files: Iterable[Path]) -> None:
    """Sync files to disk, as many at a time as parts are uploaded."""
    with ThreadPoolExecutor(PARALLEL) as pool:
        list(pool.map(_sync, files))


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
