"""An object store whose presigned URLs are served by the product itself.

The data plane (``entrypoints.objects``) uses this interface. The embedded store implements it in addition to
``ObjectStore``. It is on the hot path: ``grant_*``, ``opened`` and ``read_now`` never block.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from metastore.ports.object_store import ObjectStoreError, Part


class InvalidSignatureError(ObjectStoreError):
    """The URL was not signed by this store for this method, or was modified."""


class UrlExpiredError(ObjectStoreError):
    """The URL was signed by this store but has expired."""


class SourceEndedError(Exception):
    """The client has disconnected; no more bytes will arrive."""


@dataclass(frozen=True, slots=True)
class PartGrant:
    """The permission of a presigned part URL: to PUT part ``number`` with exactly ``length`` bytes."""

    key: str
    upload_id: str
    number: int
    length: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class ReadGrant:
    """The permission of a presigned GET URL, with headers of the response.

    Clients may cache the response for ``keep_seconds`` without revalidation.
    """

    key: str
    content_type: str
    disposition: str
    expires_at: int
    keep_seconds: int = 0


class ByteSource(Protocol):
    """A source of bytes that arrive over time, read by at most one thread at a time."""

    def read_into(self, buffer: memoryview) -> int:
        """Read available bytes into the start of ``buffer``. Return their number; 0 when none arrived for a moment.

        Raises:
            SourceEndedError: no more bytes will arrive.
        """
        ...


class PartWriter(Protocol):
    """Writes the bytes of one part. Call either ``commit`` or ``discard``, once."""

    async def write(self, chunk: bytes) -> None:
        """Write the next bytes. Waits while the disk is slower than the client.

        Raises:
            ValueError: the part has fewer bytes than that.
            UploadNotFoundError: the upload was completed or aborted meanwhile.
            StoreFullError: the disk is full.
        """
        ...

    async def take(self, source: ByteSource) -> bool:
        """Write bytes from ``source`` in a thread while they arrive. Return whether the part is complete.

        An alternative to ``write`` that avoids a copy. Never takes more bytes than the part has.

        Raises:
            SourceEndedError: bytes are missing and will not arrive.
            UploadNotFoundError, StoreFullError: as for ``write``.
        """
        ...

    async def commit(self) -> Part:
        """Make the part durable. It replaces an earlier part of the same number.

        Raises:
            ValueError: bytes are missing.
            UploadNotFoundError, StoreFullError: as for ``write``. After any error nothing of the part is kept.
        """
        ...

    async def discard(self) -> None:
        """Discard what was written. Does nothing after ``commit``."""
        ...


class OpenObject(Protocol):
    """An object that is open for reading. It stays readable while it is referenced, even after its deletion."""

    @property
    def size(self) -> int:
        """The size in bytes."""
        ...

    @property
    def etag(self) -> str:
        """The strong ETag, without quotes."""
        ...

    @property
    def modified_at(self) -> datetime:
        """When the object was created; aware, in UTC."""
        ...

    def fileno(self) -> int:
        """Return the descriptor of the open file, for zero-copy sending."""
        ...

    def read_now(self, offset: int, length: int) -> bytes | None:
        """Return the bytes if they are in memory and ``length`` is small, else ``None``."""
        ...

    async def read(self, offset: int, length: int) -> bytes:
        """Return the bytes, from disk if necessary.

        Raises:
            StoreUnavailableError: the disk failed.
        """
        ...


class ServedObjectStore(Protocol):
    """A served object store. ``path`` is a request's decoded path, ``query`` its raw query string."""

    def grant_put(self, path: str, query: bytes) -> PartGrant:
        """Verify the URL of a PUT request.

        Raises:
            InvalidSignatureError, UrlExpiredError: the URL is not valid.
        """
        ...

    def grant_get(self, path: str, query: bytes) -> ReadGrant:
        """Verify the URL of a GET or HEAD request.

        Raises:
            InvalidSignatureError, UrlExpiredError: the URL is not valid.
        """
        ...

    async def write_part(self, grant: PartGrant) -> PartWriter:
        """Start writing a part.

        Raises:
            UploadNotFoundError: the upload is not open.
            StoreFullError: the disk is full.
        """
        ...

    def opened(self, key: str) -> OpenObject | None:
        """Return the object if it is already open."""
        ...

    async def open_object(self, key: str) -> OpenObject:
        """Open an object.

        Raises:
            ObjectNotFoundError: no such object.
        """
        ...
