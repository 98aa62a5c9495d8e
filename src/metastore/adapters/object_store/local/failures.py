"""What the operating system's errors mean to callers of the store."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from metastore.ports.object_store import StoreFullError, StoreUnavailableError

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def store_failures() -> Iterator[None]:
    """Turn ``OSError`` into ``StoreFullError`` where there was no room, else into ``StoreUnavailableError``."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise StoreFullError("no room left on the device") from error
        raise StoreUnavailableError(f"the disk failed: {error.strerror}") from error
