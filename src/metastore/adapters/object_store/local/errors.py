"""Translate errors of the operating system into those of the port."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from metastore.ports.object_store import StoreFullError, StoreUnavailableError

_DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def translate_os_errors() -> Iterator[None]:
    """Raise ``StoreFullError`` for an ``OSError`` that means no space, ``StoreUnavailableError`` for any other."""
    try:
        yield
    except OSError as error:
        if error.errno in _DISK_FULL:
            raise StoreFullError("no space left on the device") from error
        raise StoreUnavailableError(f"the disk failed: {error.strerror}") from error
