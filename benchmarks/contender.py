"""What every server in the comparison has to do."""

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
    """Seconds until the server had answered everything, and the files that it left.

    ``durable`` tells that the server's answers meant "on disk"; otherwise ``files`` are still to be synced.
    """

    seconds: float
    durable: bool
    files: list[Path]


class Contender(Protocol):
    """A running server."""

    name: str
    process: ServerProcess
    many_readers: bool
    """Whether it serves ranges, and a file to several clients at a time."""

    def upload(self, size: int) -> Uploaded:
        """Send ``size`` bytes, three parts at a time."""
        ...

    def clear(self) -> None:
        """Remove what was uploaded last."""
        ...

    def download_path(self) -> str:
        """Where a file of the measured size is, for GET."""
        ...

    def end(self) -> None:
        """End the server."""
        ...


def sync_files(files: Iterable[Path]) -> None:
    """Write files through to the disk, as many at a time as were uploaded at a time."""
    with ThreadPoolExecutor(PARALLEL) as pool:
        list(pool.map(_sync, files))


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
