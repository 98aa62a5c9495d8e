"""Records of batches, which let a later run skip the files that an earlier one has uploaded.

A record belongs to a server and a user. It is written before its batch is sent, and completed by the ids that the
server has assigned: if the run is killed in between, the later one knows which files may have been stored. Records are
deleted after 30 days (``upload_records``).
"""

import asyncio
import contextlib
import hashlib
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from pydantic import BaseModel, ValidationError

from metastore.client.state_files import locked, read_private, state_folder, write_private

_SUFFIX = ".batch.json"


class BatchedFile(BaseModel):
    """A file of a batch: its place here and its folder on the server; ``size`` in bytes, ``mtime`` in nanoseconds.

    ``file_id`` is empty while there is no response.
    """

    path: str
    folder: str
    size: int
    mtime: int
    file_id: str = ""


class BatchRecord(BaseModel):
    """The files of a batch."""

    server: str
    username: str
    files: list[BatchedFile]


class BatchRecords:
    """The records of a server and a user."""

    def __init__(self, server: str, username: str) -> None:
        self._server = server
        self._username = username

    @contextlib.asynccontextmanager
    async def lock(self, on_wait: Callable[[str], None]) -> AsyncIterator[None]:
        """Lock the records, so that no other run uploads batches of the same user.

        Waits for another run that has locked them, after calling ``on_wait`` with the reason.
        """
        name = hashlib.sha256(f"{self._server}\0{self._username}".encode()).hexdigest()[:40]
        path = state_folder("uploads") / f"{name}.batch.lock"
        async with contextlib.AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(locked(path, wait=False))
            except BlockingIOError:
                on_wait("another run is uploading small files")
                await stack.enter_async_context(locked(path))
            yield

    async def load(self) -> dict[tuple[str, str], BatchedFile]:
        """Return the latest record of each file, by its path and its folder on the server."""
        return await asyncio.to_thread(self._load)

    def _load(self) -> dict[tuple[str, str], BatchedFile]:
        found: dict[tuple[str, str], BatchedFile] = {}
        paths = list(state_folder("uploads").glob(f"*{_SUFFIX}"))
        for path in sorted(paths, key=lambda path: path.stat().st_mtime_ns):
            with contextlib.suppress(ValidationError):
                record = BatchRecord.model_validate_json(read_private(path) or b"")
                if (record.server, record.username) == (self._server, self._username):
                    found |= {(file.path, file.folder): file for file in record.files}
        return found

    def new(self) -> "OpenRecord":
        """Return the record of a new batch, which is not saved yet."""
        path = state_folder("uploads") / f"{uuid.uuid4().hex}{_SUFFIX}"
        return OpenRecord(path, self._server, self._username)


class OpenRecord:
    """The record of one batch."""

    def __init__(self, path: Path, server: str, username: str) -> None:
        self._path = path
        self._server = server
        self._username = username

    async def save(self, files: list[BatchedFile]) -> None:
        """Save the record; without files, delete it."""
        if not files:
            await asyncio.to_thread(self._path.unlink, missing_ok=True)
            return
        record = BatchRecord(server=self._server, username=self._username, files=files)
        await asyncio.to_thread(write_private, self._path, record.model_dump_json().encode())
