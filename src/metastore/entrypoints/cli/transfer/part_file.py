"""A file while it is being downloaded.

``NAME.part`` has the length of the file from the start, so that a full disk shows at once. ``NAME.part.json`` tells
which file it is (its id, size and checksum) and which pieces have arrived, as runs of their numbers: it is written
after the pieces are on disk, at most once a second, and as a whole. A run that finds both goes on; one that finds
another file's, or a torn one, starts anew. While a run works on it, it holds a lock on ``NAME.part``.
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

from metastore.entrypoints.cli.transfer.failures import TransferError
from metastore.entrypoints.cli.transfer.state_files import read_private, write_private
from metastore.entrypoints.cli.transfer.wire import RemoteFile

PIECE_SIZE = 8 * 2**20
_NOTE_EVERY_SECONDS = 1.0
_LONGEST_NAME = 255
_ROOM = len(".") + len(".part.json") + len(".4294967295")


class Note(BaseModel):
    """What ``NAME.part.json`` says; ``runs`` are first and last numbers of pieces that are there."""

    file_id: str
    size: int
    checksum: str | None
    piece_size: int
    runs: list[tuple[int, int]] = []


class PartFile:
    """See the module; a context manager that keeps both files unless ``finish`` or ``discard`` was called."""

    def __init__(self, target: Path, file: RemoteFile) -> None:
        self._target = target
        self._file = file
        name = target.name
        if len(os.fsencode(name)) > _LONGEST_NAME - _ROOM:
            name = hashlib.sha256(os.fsencode(name)).hexdigest()[:32]
        self.path = target.with_name(f"{name}.part")
        self._note_path = target.with_name(f"{name}.part.json")
        self._there: set[int] = set()
        self._noting = asyncio.Lock()
        self._noted_at = float("-inf")

    @property
    def count(self) -> int:
        """How many pieces the file has."""
        return -(-self._file.size // PIECE_SIZE)

    @property
    def missing(self) -> list[int]:
        """Numbers, from 0, of the pieces to be fetched."""
        return [number for number in range(self.count) if number not in self._there]

    def place(self, number: int) -> tuple[int, int]:
        """Offset and length of a piece."""
        offset = number * PIECE_SIZE
        return offset, min(PIECE_SIZE, self._file.size - offset)

    def __enter__(self) -> Self:
        """Open it, at full length, with what an earlier run left.

        Raises:
            TransferError: another run works on it.
            OSError: it cannot be written, or the disk has no room for it.
        """
        self._handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._take_up()
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
        """Close it; an interrupted one is noted as far as it came."""
        try:
            if self.path.exists():
                self._note(set(self._there))
        finally:
            os.close(self._handle)

    async def write(self, offset: int, data: bytes) -> None:
        """Put ``data`` in its place."""
        await asyncio.to_thread(_write_all, self._handle, data, offset)

    async def arrived(self, number: int) -> None:
        """A piece is all there."""
        self._there.add(number)
        if not self._noting.locked() and time.monotonic() - self._noted_at > _NOTE_EVERY_SECONDS:
            async with self._noting:
                await asyncio.to_thread(self._note, set(self._there))
                self._noted_at = time.monotonic()

    async def finish(self) -> None:
        """Give it its name, durably."""
        await asyncio.to_thread(self._finish)

    def discard(self) -> None:
        """Remove it, so that the next run starts anew."""
        self._note_path.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)

    def _take_up(self) -> None:
        note = self._read_note()
        expected = Note(
            file_id=self._file.id, size=self._file.size, checksum=self._file.checksum, piece_size=PIECE_SIZE
        )
        same = note is not None and note.model_copy(update={"runs": []}) == expected
        if note and same and os.fstat(self._handle).st_size == self._file.size:
            self._there = {number for first, last in note.runs for number in range(first, last + 1)}
            return
        self._note_path.unlink(missing_ok=True)
        os.ftruncate(self._handle, 0)
        if self._file.size:
            os.posix_fallocate(self._handle, 0, self._file.size)

    def _read_note(self) -> Note | None:
        content = read_private(self._note_path)
        try:
            return Note.model_validate_json(content) if content else None
        except ValidationError:
            return None

    def _note(self, there: set[int]) -> None:
        os.fdatasync(self._handle)
        note = Note(
            file_id=self._file.id,
            size=self._file.size,
            checksum=self._file.checksum,
            piece_size=PIECE_SIZE,
            runs=_runs(there),
        )
        write_private(self._note_path, note.model_dump_json().encode())

    def _finish(self) -> None:
        os.fsync(self._handle)
        self.path.replace(self._target)
        self._note_path.unlink(missing_ok=True)
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
