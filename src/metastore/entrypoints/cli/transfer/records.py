"""Records of uploads, by which a later run goes on where an earlier one ended.

A record belongs to a server, a user, a file's absolute path and a target folder; it tells the file's size and time of
change as they were, and the ids that the server gave. It stays when the upload is done, so that a folder can be
uploaded again after an interruption without sending twice what had gone through; after 30 days it is forgotten.
"""

import asyncio
import contextlib
import hashlib
import time
from collections.abc import AsyncIterator
from pathlib import Path

from pydantic import BaseModel, ValidationError

from metastore.entrypoints.cli.transfer.failures import TransferError
from metastore.entrypoints.cli.transfer.state_files import locked, read_private, state_folder, write_private

_KEPT_SECONDS = 30 * 24 * 3600


class UploadRecord(BaseModel):
    """What was begun: ``size`` in bytes, ``mtime`` in nanoseconds, ``done`` once it is a file on the server."""

    size: int
    mtime: int
    file_id: str
    upload_id: str
    done: bool = False


class UploadRecords:
    """The record of one source and target."""

    def __init__(self, server: str, username: str, source: Path, folder: str) -> None:
        name = "\0".join((server, username, str(source.absolute()), folder))
        key = hashlib.sha256(name.encode(errors="surrogateescape")).hexdigest()[:40]
        self._path = state_folder("uploads") / f"{key}.json"

    @contextlib.asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Keep other runs from uploading the same.

        Raises:
            TransferError: one is doing so.
        """
        try:
            async with locked(self._path.with_suffix(".lock"), patiently=False):
                yield
        except BlockingIOError:
            raise TransferError("Another run is uploading this file to the same place") from None

    async def load(self) -> UploadRecord | None:
        """The record, if there is one that can be read."""
        content = await asyncio.to_thread(read_private, self._path)
        try:
            return UploadRecord.model_validate_json(content) if content else None
        except ValidationError:
            return None

    async def save(self, record: UploadRecord) -> None:
        """Keep ``record``."""
        await asyncio.to_thread(write_private, self._path, record.model_dump_json().encode())

    async def forget(self) -> None:
        """Keep none."""
        await asyncio.to_thread(self._path.unlink, missing_ok=True)


def forget_old_records() -> None:
    """Remove records, and their locks, that nobody has touched for 30 days."""
    oldest = time.time() - _KEPT_SECONDS
    for path in state_folder("uploads").iterdir():
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < oldest:
                path.unlink()
