"""Where things are under the store's root; see the package for what they are."""

import errno
import fcntl
import os
import re
import shutil
from pathlib import Path

from blake3 import blake3

from metastore.adapters.object_store.local.durable import sync_folder
from metastore.kit.ids import is_id, new_id

_KEY = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
_KEY_LIMIT = 512
UPLOAD_FACTS = "upload.json"
OBJECT_FACTS = "object.json"
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
        """Make what is missing, durably."""
        for folder in (self.root, self.uploads, self.objects, self.trash):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for shelf in self.shelves():
            shelf.mkdir(mode=0o700, exist_ok=True)
        for folder in (self.objects, self.root, self.root.parent):
            sync_folder(folder)

    def lock(self) -> int:
        """Take the store for this process to write in; the lock goes with the returned file handle.

        Raises:
            OSError: ``EBUSY`` when another process (or another store in this one) has it.
        """
        handle = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise OSError(errno.EBUSY, "in use by another process", str(self.root)) from None
        return handle

    def sweep(self) -> None:
        """Collect what a crash left: uploads not fully created, small objects not fully put, deletions not ended."""
        for folder in self.trash.iterdir():
            shutil.rmtree(folder, ignore_errors=True)
        for folder in self.uploads.iterdir():
            if not (folder / UPLOAD_FACTS).exists():
                shutil.rmtree(folder, ignore_errors=True)

    def upload(self, upload_id: str) -> Path | None:
        """The folder of an upload, or ``None`` when that can be nobody's id."""
        return self.uploads / upload_id if is_id(upload_id) else None

    def object(self, key: str) -> Path:
        """The folder of an object.

        Raises:
            ValueError: no key of the product looks like that.
        """
        if len(key) > _KEY_LIMIT or not _KEY.fullmatch(key):
            raise ValueError(f"not an object key: {key!r}")
        name = blake3(key.encode()).hexdigest(length=20)
        return self.objects / name[:2] / name

    def shelves(self) -> list[Path]:
        """The folders that object folders are in."""
        return [self.objects / f"{number:02x}" for number in range(256)]

    def discard(self, folder: Path) -> bool:
        """Remove an upload or object, at once for everyone and durably; whether it was there."""
        grave = self.trash / new_id()
        try:
            folder.rename(grave)
        except FileNotFoundError:
            return False
        sync_folder(folder.parent)
        shutil.rmtree(grave, ignore_errors=True)
        return True
