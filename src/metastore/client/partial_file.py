"""A partially downloaded file.

``NAME.part`` has the length of the file from the start, so that a full disk is noticed at once. ``NAME.part.json``
identifies the file (id, size and checksum) and lists the complete pieces as ranges of their numbers. It is written
atomically, at most once a second, after the pieces are on disk. A run that finds both files resumes the download. If
they belong to another file or are damaged, it starts again. A run holds a lock on ``NAME.part``.
"""

import asyncio
import fcntl
import hashlib
import os
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import BaseModel, ValidationError

from metastore.client.errors import TransferError
from metastore.client.responses import RemoteFile
from metastore.client.state_files import read_private, write_private

PIECE_SIZE = 8 * 2**20
_CHECKPOINT_SECONDS = 1.0
_MAX_NAME = 255
_SUFFIX_LENGTH = len(".") + len(".part.json") + len(".4294967295")


class Checkpoint(BaseModel):
    """The content of ``NAME.part.json``. ``runs`` holds the first and last numbers of ranges of complete pieces."""

    file_id: str
    size: int
    checksum: str | None
    piece_size: int
    runs: list[tuple[int, int]] = []


class PartialFile:
    """A context manager for both files. They are kept unless ``finish`` or ``discard`` is called."""

    def __init__(self, target: Path, file: RemoteFile) -> None:
        self._target = target
        self._file = file
        name = target.name
        if len(os.fsencode(name)) > _MAX_NAME - _SUFFIX_LENGTH:
            name = hashlib.sha256(os.fsencode(name)).hexdigest()[:32]
        self.path = target.with_name(f"{name}.part")
        self._checkpoint_path = target.with_name(f"{name}.part.json")
        self._complete: set[int] = set()
        self._saving = asyncio.Lock()
        self._saved_at = float("-inf")

    @property
    def count(self) -> int:
        """Return the number of pieces."""
        return -(-self._file.size // PIECE_SIZE)

    @property
    def missing(self) -> list[int]:
        """Return the numbers, from 0, of the pieces that are missing."""
        return [number for number in range(self.count) if number not in self._complete]

    def place(self, number: int) -> tuple[int, int]:
        """Return offset and length of a piece."""
        offset = number * PIECE_SIZE
        return offset, min(PIECE_SIZE, self._file.size - offset)

    def __enter__(self) -> Self:
        """Open the file at its full length and load the checkpoint of an earlier run.

        Raises:
            TransferError: another run has locked it.
            OSError: the file cannot be written, or the disk is full.
        """
        self._handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._resume()
        except BlockingIOError:
            os.close(self._handle)
            raise TransferError("Another run is downloading this file to the same place") from None
        except BaseException:
            os.close(self._handle)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file and save a checkpoint if it is incomplete."""
        try:
            if self.path.exists():
                self._save_checkpoint(set(self._complete))
        finally:
            os.close(self._handle)

    async def write(self, offset: int, data: bytes) -> None:
        """Write ``data`` at ``offset``."""
        await asyncio.to_thread(_write_all, self._handle, data, offset)

    async def complete(self, number: int) -> None:
        """Mark a piece as complete, and save a checkpoint from time to time."""
        self._complete.add(number)
        if not self._saving.locked() and time.monotonic() - self._saved_at > _CHECKPOINT_SECONDS:
            async with self._saving:
                await asyncio.to_thread(self._save_checkpoint, set(self._complete))
                self._saved_at = time.monotonic()

    async def finish(self) -> None:
        """Rename the file to its final name, durably."""
        await asyncio.to_thread(self._finish)

    def discard(self) -> None:
        """Remove both files, so that the next run starts again."""
        self._checkpoint_path.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)

    def _resume(self) -> None:
        checkpoint = self._load_checkpoint()
        expected = Checkpoint(
            file_id=self._file.id, size=self._file.size, checksum=self._file.checksum, piece_size=PIECE_SIZE
        )
        same = checkpoint is not None and checkpoint.model_copy(update={"runs": []}) == expected
        if checkpoint and same and os.fstat(self._handle).st_size == self._file.size:
            self._complete = {number for first, last in checkpoint.runs for number in range(first, last + 1)}
            return
        self._checkpoint_path.unlink(missing_ok=True)
        os.ftruncate(self._handle, 0)
        if self._file.size:
            os.posix_fallocate(self._handle, 0, self._file.size)

    def _load_checkpoint(self) -> Checkpoint | None:
        content = read_private(self._checkpoint_path)
        try:
            return Checkpoint.model_validate_json(content) if content else None
        except ValidationError:
            return None

    def _save_checkpoint(self, complete: set[int]) -> None:
        os.fdatasync(self._handle)
        checkpoint = Checkpoint(
            file_id=self._file.id,
            size=self._file.size,
            checksum=self._file.checksum,
            piece_size=PIECE_SIZE,
            runs=_runs(complete),
        )
        write_private(self._checkpoint_path, checkpoint.model_dump_json().encode())

    def _finish(self) -> None:
        os.fsync(self._handle)
        self.path.replace(self._target)
        self._checkpoint_path.unlink(missing_ok=True)
        folder = os.open(self._target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _write_all(handle: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(handle, view, offset)
        view, offset = view[written:], offset + written


def _runs(numbers: Iterable[int]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if runs and runs[-1][1] == number - 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs
