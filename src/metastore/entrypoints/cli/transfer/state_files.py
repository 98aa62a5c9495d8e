"""Small private files that outlive a run: sessions and records of unfinished transfers.

They lie under ``$XDG_STATE_HOME/metastore`` (XDG Base Directory Specification), folders 0700 and files 0600. A file is
replaced as a whole, by writing beside it and renaming, so that whoever reads sees the old or the new.
"""

import asyncio
import contextlib
import errno
import fcntl
import os
from collections.abc import AsyncIterator
from pathlib import Path

_LOCK_POLL_SECONDS = 0.05


def state_folder(*names: str) -> Path:
    """The client's state folder, or one below it; made when missing."""
    home = os.environ.get("XDG_STATE_HOME", "")
    base = Path(home) if Path(home).is_absolute() else Path.home() / ".local" / "state"
    folder = base / "metastore"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in names:
        folder /= name
        folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def read_private(path: Path) -> bytes | None:
    """The file's content; ``None`` when there is none."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def write_private(path: Path, content: bytes) -> None:
    """Put ``content`` in place of the file's, durably."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


@contextlib.asynccontextmanager
async def locked(path: Path, *, patiently: bool = True) -> AsyncIterator[None]:
    """Hold the lock file ``path`` among all runs of this user; it stays behind, empty.

    Raises:
        BlockingIOError: another run holds it and ``patiently`` is false.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError as error:
                if error.errno not in {errno.EWOULDBLOCK, errno.EACCES}:
                    raise
                if not patiently:
                    raise BlockingIOError(errno.EWOULDBLOCK, "in use by another run", str(path)) from None
            # Asked again and again rather than waited for in a thread, which could not be cancelled.
            await asyncio.sleep(_LOCK_POLL_SECONDS)
        yield
    finally:
        os.close(handle)
