"""An object store whose presigned URLs lead back to the product, which moves the bytes itself.

The data plane (``entrypoints.objects``) is written against this; the embedded store implements it beside
``ObjectStore``. Everything here is on the hot path: ``grant_*``, ``opened`` and ``read_now`` never block nor await.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from metastore.ports.object_store import ObjectStoreError, Part


class InvalidSignatureError(ObjectStoreError):
    """The URL was not made by this store for this method, or was changed."""


class UrlExpiredError(ObjectStoreError):
    """The URL was made by this store, but its time is over."""


class SourceEndedError(Exception):
    """No more bytes will come: the sender hung up."""


@dataclass(frozen=True, slots=True)
class PartGrant:
    """What a presigned part URL allows: to put part ``number``, of exactly ``length`` bytes."""

    key: str
    upload_id: str
    number: int
    length: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class ReadGrant:
    """What a presigned GET URL allows, and the headers that the answer is to carry.

    Who has the answer may keep it for ``keep_seconds`` without asking again.
    """

    key: str
    content_type: str
    disposition: str
    expires_at: int
    keep_seconds: int = 0


class ByteSource(Protocol):
    """Bytes that arrive, for a thread to take; at most one thread at a time."""

    def read_into(self, buffer: memoryview) -> int:
        """Fill ``buffer`` from its start with what is there; returns how many bytes, 0 when none came for a moment.

        Raises:
            SourceEndedError: no more will come.
        """
        ...


class PartWriter(Protocol):
    """Takes the bytes of one part. Either ``commit`` or ``discard`` must be called, once."""

    async def write(self, chunk: bytes) -> None:
        """Take the next bytes; waits while the disk is slower than the sender.

        Raises:
            ValueError: more bytes than the part has.
            UploadNotFoundError: the upload was completed or aborted meanwhile.
            StoreFullError: no room.
        """
        ...

    async def take(self, source: ByteSource) -> bool:
        """Take bytes from ``source`` in a thread, for as long as they come; whether the part has all of its bytes.

        In place of ``write``, without a copy. Takes no more than the part has.

        Raises:
            SourceEndedError: bytes are missing and will not come.
            UploadNotFoundError, StoreFullError: as for ``write``.
        """
        ...

    async def commit(self) -> Part:
        """Make the part durable, in place of an earlier one of that number.

        Raises:
            ValueError: bytes are missing.
            UploadNotFoundError, StoreFullError: as for ``write``. After any error nothing of the part is kept.
        """
        ...

    async def discard(self) -> None:
        """Forget what was written. Nothing happens after ``commit``."""
        ...


class OpenObject(Protocol):
    """An object open for reading; it stays readable for as long as it is held, even when deleted."""

    @property
    def size(self) -> int:
        """Bytes."""
        ...

    @property
    def etag(self) -> str:
        """Strong ETag without quotes."""
        ...

    @property
    def modified_at(self) -> datetime:
        """When it appeared; aware, in UTC."""
        ...

    def fileno(self) -> int:
        """The open file's descriptor, for the server to send from."""
        ...

    def read_now(self, offset: int, length: int) -> bytes | None:
        """Exactly those bytes when memory holds them and ``length`` is small, else ``None``."""
        ...

    async def read(self, offset: int, length: int) -> bytes:
        """Exactly those bytes, from disk if need be.

        Raises:
            StoreUnavailableError: the disk failed.
        """
        ...


class ServedObjectStore(Protocol):
    """See the module. ``path`` is that of the request, decoded; ``query`` is its raw query string."""

    def grant_put(self, path: str, query: bytes) -> PartGrant:
        """Check a PUT request's URL.

        Raises:
            InvalidSignatureError, UrlExpiredError: it allows nothing.
        """
        ...

    def grant_get(self, path: str, query: bytes) -> ReadGrant:
        """Check a GET or HEAD request's URL.

        Raises:
            InvalidSignatureError, UrlExpiredError: it allows nothing.
        """
        ...

    async def write_part(self, grant: PartGrant) -> PartWriter:
        """Begin to receive a part.

        Raises:
            UploadNotFoundError: the upload is not open.
            StoreFullError: no room.
        """
        ...

    def opened(self, key: str) -> OpenObject | None:
        """The object, if it is open already."""
        ...

    async def open_object(self, key: str) -> OpenObject:
        """Open an object.

        Raises:
            ObjectNotFoundError: no such object.
        """
        ...
