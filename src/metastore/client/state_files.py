"""Small private files that are kept between runs: sessions and records of uploads.

They are stored under ``$XDG_STATE_HOME/metastore`` (XDG Base Directory Specification), with mode 0700 for folders and
0600 for files. Files are replaced atomically, by renaming.
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
    """Return the client's state folder, or one below it; created if missing."""
    home = os.environ.get("XDG_STATE_HOME", "")
    base = Path(home) if Path(home).is_absolute() else Path.home() / ".local" / "state"
    folder = base / "metastore"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in names:
        folder /= name
        folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def read_private(path: Path) -> bytes | None:
    """Return the content of a file, or ``None`` if it does not exist."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def write_private(path: Path, content: bytes) -> None:
    """Replace the content of a file, durably."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextlib.asynccontextmanager
async def locked(path: Path, *, wait: bool = True) -> AsyncIterator[None]:
    """Hold an exclusive lock on the empty file ``path``, which is kept afterwards.

    Raises:
        BlockingIOError: another process holds the lock, and ``wait`` is false.
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
                if not wait:
                    raise BlockingIOError(errno.EWOULDBLOCK, "in use by another run", str(path)) from None
            # Poll instead of waiting in a thread, which could not be cancelled.
            await asyncio.sleep(_LOCK_POLL_SECONDS)
        yield
    finally:
        os.close(handle)
