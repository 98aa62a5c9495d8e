"""Paths below the store's root; the package documents what is in them."""

import errno
import fcntl
import os
import re
import shutil
import time
from pathlib import Path

from blake3 import blake3

from metastore.adapters.object_store.local.durable_io import sync_folder
from metastore.kit.ids import is_id, new_id

_KEY = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
_MAX_KEY_LENGTH = 512
_LOCK_SECONDS = 1.0
UPLOAD_METADATA = "upload.json"
OBJECT_METADATA = "object.json"
DATA = "data"
PARTS = "parts.log"


class Layout:
    """The folders of one store."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.uploads = root / "uploads"
        self.objects = root / "objects"
        self.trash = root / "trash"

    def create(self) -> None:
        """Create missing folders durably."""
        for folder in (self.root, self.uploads, self.objects, self.trash):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in self.object_folders():
            folder.mkdir(mode=0o700, exist_ok=True)
        for folder in (self.objects, self.root, self.root.parent):
            sync_folder(folder)

    def prepare(self) -> int:
        """Create what is missing, lock the store, and remove what a crash left behind. Blocks.

        Returns a descriptor. The lock is released once it is closed, in this process and in those forked from it.

        Raises:
            OSError: ``EBUSY`` if another process, or another store in this process, holds the lock.
        """
        self.create()
        handle = self.lock()
        self.sweep()
        return handle

    def lock(self) -> int:
        """Lock the store for writing; closing the returned descriptor releases the lock.

        Waits for a moment, because after a crash the kernel ends the processes of a server one after the other.

        Raises:
            OSError: ``EBUSY`` if another process, or another store in this process, holds it.
        """
        handle = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + _LOCK_SECONDS
        while not _is_locked(handle):
            if time.monotonic() > deadline:
                os.close(handle)
                raise OSError(errno.EBUSY, "in use by another process", str(self.root))
            time.sleep(_LOCK_SECONDS / 100)
        return handle

    def sweep(self) -> None:
        """Remove what a crash left behind: incomplete creates and puts, and unfinished deletions."""
        for folder in self.trash.iterdir():
            shutil.rmtree(folder, ignore_errors=True)
        for folder in self.uploads.iterdir():
            if not (folder / UPLOAD_METADATA).exists():
                shutil.rmtree(folder, ignore_errors=True)

    def upload(self, upload_id: str) -> Path | None:
        """Return the folder of an upload, or ``None`` if ``upload_id`` is not well-formed."""
        return self.uploads / upload_id if is_id(upload_id) else None

    def object(self, key: str) -> Path:
        """Return the folder of an object.

        Raises:
            ValueError: ``key`` is not a well-formed object key.
        """
        if len(key) > _MAX_KEY_LENGTH or not _KEY.fullmatch(key):
            raise ValueError(f"not an object key: {key!r}")
        name = blake3(key.encode()).hexdigest(length=20)
        return self.objects / name[:2] / name

    def object_folders(self) -> list[Path]:
        """Return the 256 parent folders of the objects' folders."""
        return [self.objects / f"{number:02x}" for number in range(256)]

    def discard(self, folder: Path) -> bool:
        """Remove the folder of an upload or object, atomically and durably; return whether it existed."""
        trashed = self.trash / new_id()
        try:
            folder.rename(trashed)
        except FileNotFoundError:
            return False
        sync_folder(folder.parent)
        shutil.rmtree(trashed, ignore_errors=True)
        return True


def _is_locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
