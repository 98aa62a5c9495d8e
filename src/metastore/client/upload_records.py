"""Records of uploads, which let a later run resume an interrupted one.

A record belongs to a server, a user, the absolute path of a file and a target folder. It holds the size and the
modification time of the file and the ids that the server assigned. It is kept after the upload, so that uploading an
interrupted folder again skips the files that are done. It is deleted after 30 days.
"""

import asyncio
import contextlib
import hashlib
import time
from collections.abc import AsyncIterator
from pathlib import Path

from pydantic import BaseModel, ValidationError

from metastore.client.errors import TransferError
from metastore.client.state_files import locked, read_private, state_folder, write_private

_KEPT_SECONDS = 30 * 24 * 3600


class UploadRecord(BaseModel):
    """An upload: ``size`` in bytes, ``mtime`` in nanoseconds, and ``done`` once it is a file on the server."""

    size: int
    mtime: int
    file_id: str
    upload_id: str
    done: bool = False


class UploadRecords:
    """The record of one source and target folder."""

    def __init__(self, server: str, username: str, source: Path, folder: str) -> None:
        name = "\0".join((server, username, str(source.absolute()), folder))
        key = hashlib.sha256(name.encode(errors="surrogateescape")).hexdigest()[:40]
        self._path = state_folder("uploads") / f"{key}.json"

    @contextlib.asynccontextmanager
    async def lock(self) -> AsyncIterator[None]:
        """Lock the record, so that no other run uploads the same file to the same folder.

        Raises:
            TransferError: another run has locked it.
        """
        try:
            async with locked(self._path.with_suffix(".lock"), wait=False):
                yield
        except BlockingIOError:
            raise TransferError("Another run is uploading this file to the same place") from None

    def exists(self) -> bool:
        """Return whether there is a record. Blocks, but briefly."""
        return self._path.exists()

    async def load(self) -> UploadRecord | None:
        """Return the record, or ``None`` if there is none or it is damaged."""
        content = await asyncio.to_thread(read_private, self._path)
        try:
            return UploadRecord.model_validate_json(content) if content else None
        except ValidationError:
            return None

    async def save(self, record: UploadRecord) -> None:
        """Save ``record``."""
        await asyncio.to_thread(write_private, self._path, record.model_dump_json().encode())

    async def delete(self) -> None:
        """Delete the record."""
        await asyncio.to_thread(self._path.unlink, missing_ok=True)


def delete_old_records() -> None:
    """Delete records and locks that have not been used for 30 days."""
    oldest = time.time() - _KEPT_SECONDS
    for path in state_folder("uploads").iterdir():
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < oldest:
                path.unlink()
