"""The embedded object store as the settings describe it, to be shared by the processes that serve it.

A part of the composition root: ``bootstrap`` opens the store, ``entrypoints.data_plane`` starts the process of its data
plane.
"""

import contextlib
import hashlib
import hmac
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from metastore.adapters.object_store.local.layout import Layout
from metastore.adapters.object_store.local.remote_uploads import RemoteUploads
from metastore.config import ConfigurationError, Settings, load_secret_key

DataPlaneCalls = RemoteUploads
"""Calls of the embedded store to the process that serves its data plane."""


@dataclass(frozen=True, slots=True)
class EmbeddedStore:
    """The embedded store of these settings, prepared and locked for this process and those that inherit ``lock``."""

    folder: Path
    signing_key: bytes
    public_base: str
    lock: int


@contextlib.contextmanager
def locked_embedded_store(settings: Settings) -> Iterator[EmbeddedStore | None]:
    """Prepare and lock the embedded store for the block; ``None`` if the settings name another store.

    Raises:
        ConfigurationError: the folder cannot be used, for example because another process holds it.
    """
    folder = store_folder(settings)
    if folder is None:
        yield None
        return
    try:
        lock = Layout(folder).prepare()
    except OSError as error:
        raise unusable_store(folder, error) from None
    try:
        yield EmbeddedStore(folder, derived_key(load_secret_key(settings), "objects"), settings.objects_url, lock)
    finally:
        os.close(lock)


def store_folder(settings: Settings) -> Path | None:
    """Return the folder of the embedded store, or ``None`` with another store.

    Raises:
        ConfigurationError: it is not written as it must be.
    """
    parts = urlsplit(settings.effective_storage_url)
    if parts.scheme != "file":
        return None
    if parts.netloc or not parts.path:
        raise ConfigurationError("METASTORE_STORAGE_URL: a folder is written file:///absolute/path")
    return Path(unquote(parts.path))


def unusable_store(folder: Path, error: OSError) -> ConfigurationError:
    """Return the error for a folder that cannot be used."""
    return ConfigurationError(f"METASTORE_STORAGE_URL: {folder} cannot be used: {error.strerror}")


def derived_key(secret: bytes, purpose: str) -> bytes:
    """Return a key for one purpose. A signature made for one purpose is invalid for any other."""
    return hmac.digest(secret, b"metastore " + purpose.encode(), hashlib.sha256)
