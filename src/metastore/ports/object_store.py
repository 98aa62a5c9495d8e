"""The object store: objects under keys, uploaded in parts by clients.

The protocol is a subset of Amazon S3 (multipart uploads, presigned URLs), so that any S3-compatible server and the
embedded local store are interchangeable. Presigning reads is a port of its own (``presigner``).

**Keys** are chosen by the product (``files/<uuid>``), never by users. They consist of ASCII letters, digits, ``-``,
``_``, ``.`` and ``/``. Objects are immutable: an object appears under its key only when it is complete, and a key is
never written twice.

**Multipart uploads.** ``create_multipart`` opens an upload. The client PUTs each part to its presigned URL, in any
order, concurrently, and repeatedly if necessary. ``complete_multipart`` makes the whole object appear or changes
nothing. All parts have ``part_size`` bytes except the last, which has the rest. An empty object has one empty part. A
presigned part URL binds method, key, upload, part number, exact length and expiry.

**Durability.** After a 2xx response to a part, and after ``complete_multipart``, ``put`` and ``delete`` return, the
change survives a power failure.

**ETags** are opaque. They are passed and compared without HTTP's quotes.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Part:
    """A part that the store has received."""

    number: int
    etag: str
    size: int


@dataclass(frozen=True, slots=True)
class CompletedPart:
    """A part that the client names when it completes the upload."""

    number: int
    etag: str


@dataclass(frozen=True, slots=True)
class StoredObject:
    """The metadata of an object: size in bytes, ETag, and the checksum if the store knows one.

    ``checksum`` is ``algorithm:hex``, or ``algorithm-blocksize:hex``: the algorithm applied to the concatenated digests
    of consecutive blocks of ``blocksize`` bytes.
    """

    key: str
    size: int
    etag: str
    checksum: str | None
    modified_at: datetime


@dataclass(frozen=True, slots=True)
class OpenMultipart:
    """A multipart upload that is neither completed nor aborted."""

    key: str
    upload_id: str
    started_at: datetime


@dataclass(frozen=True, slots=True)
class UploadTarget:
    """Identifies a multipart upload and its parts. Sizes are in bytes."""

    key: str
    upload_id: str
    size: int
    part_size: int

    @property
    def part_count(self) -> int:
        """The number of parts, at least one."""
        return max(1, -(-self.size // self.part_size))

    def part_length(self, number: int) -> int:
        """Return the exact length in bytes of part ``number``, counted from 1."""
        if number == self.part_count:
            return self.size - (number - 1) * self.part_size
        return self.part_size


@dataclass(frozen=True, slots=True)
class NewObject:
    """An object to store, with its bytes in memory."""

    key: str
    content: bytes
    content_type: str


class ObjectStoreError(Exception):
    """The store did not execute the request. Nothing was changed unless the subclass says otherwise."""


class ObjectNotFoundError(ObjectStoreError):
    """There is no object under the key."""


class UploadNotFoundError(ObjectStoreError):
    """The multipart upload does not exist, or was completed or aborted."""


class InvalidPartError(ObjectStoreError):
    """A part named at complete is missing or has another ETag or size. The upload stays open."""

    def __init__(self, number: int, reason: str) -> None:
        super().__init__(f"part {number}: {reason}")
        self.number = number
        self.reason = reason


class StoreFullError(ObjectStoreError):
    """The store's disk is full."""


class StoreUnavailableError(ObjectStoreError):
    """The store did not respond in time, or responded with a server error."""


class DamagedObjectError(StoreUnavailableError):
    """The stored object is damaged: its metadata is inconsistent, or its length is wrong."""


class ObjectStore(Protocol):
    """An object store. Every call ends within 30 seconds, with ``StoreUnavailableError`` if necessary."""

    @property
    def public_origin(self) -> str:
        """The origin of presigned URLs (``https://host``); empty when it is the product's own."""
        ...

    async def create_multipart(self, key: str, *, size: int, part_size: int, content_type: str) -> str:
        """Open a multipart upload of ``size`` bytes and return its id.

        Raises:
            StoreFullError: the store has no space for ``size`` bytes.
        """
        ...

    async def presign_parts(self, target: UploadTarget, numbers: Sequence[int], *, expires_in: int) -> list[str]:
        """Return URLs to PUT these parts to, in the order of ``numbers``, valid for ``expires_in`` seconds.

        A URL is absolute, or a path (starting with ``/``) on the product's own origin.
        """
        ...

    async def list_parts(self, target: UploadTarget) -> list[Part]:
        """Return the parts received so far, by ascending number.

        Raises:
            UploadNotFoundError: the upload is not open.
        """
        ...

    async def complete_multipart(self, target: UploadTarget, parts: Sequence[CompletedPart]) -> StoredObject:
        """Complete an upload. Every part from 1 to ``part_count`` must be named, in order, with its ETag.

        Raises:
            InvalidPartError: names the first bad part; the upload stays open.
            UploadNotFoundError: the upload is not open. Check with ``head`` whether it was completed.
        """
        ...

    async def abort_multipart(self, key: str, upload_id: str) -> None:
        """Delete the parts of an upload. Does nothing when it is not open. Never removes a completed object."""
        ...

    async def is_open(self, key: str, upload_id: str) -> bool:
        """Return whether the multipart upload is open. Has no side effects, not even housekeeping of the store."""
        ...

    async def list_multiparts(self) -> AsyncIterator[OpenMultipart]:
        """Yield every open multipart upload."""
        yield  # type: ignore[misc]  # marks the method as an async generator

    async def put(self, key: str, chunks: AsyncIterator[bytes], *, size: int, content_type: str) -> StoredObject:
        """Store a small object from a stream of exactly ``size`` bytes.

        Raises:
            StoreFullError: the disk is full.
            ValueError: the stream was longer or shorter than ``size``; nothing is kept.
        """
        ...

    async def put_all(self, objects: Sequence[NewObject]) -> list[StoredObject]:
        """Store small objects together, and return their metadata in the same order. Suited for hundreds.

        An error means that the caller has to delete those that may have been stored.

        Raises:
            StoreFullError: the disk is full.
        """
        ...

    async def head(self, key: str) -> StoredObject:
        """Return the metadata of an object.

        Raises:
            ObjectNotFoundError: no such object.
        """
        ...

    async def examine(self, key: str) -> StoredObject:
        """Return an object's metadata after verifying everything that can be verified without reading its bytes.

        Raises:
            ObjectNotFoundError: no such object.
            DamagedObjectError: the stored data is inconsistent.
        """
        ...

    def read(self, key: str, *, offset: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """Stream ``length`` bytes from ``offset``, or all to the end.

        Raises:
            ObjectNotFoundError: no such object (on first iteration).
            DamagedObjectError: bytes are missing.
        """
        ...

    async def read_all(self, keys: Sequence[str]) -> list[bytes]:
        """Return the whole content of small objects, in the order of ``keys``. Suited for some dozens.

        Raises:
            ObjectNotFoundError: one of them does not exist.
            DamagedObjectError: bytes are missing.
        """
        ...

    async def delete(self, keys: Iterable[str]) -> None:
        """Delete objects. Missing objects are ignored."""
        ...

    async def list_objects(self, prefix: str = "") -> AsyncIterator[StoredObject]:
        """Yield every object whose key starts with ``prefix``, in no particular order.

        ``checksum`` may be ``None`` even where ``head`` knows it. Objects whose metadata cannot be read are left out.
        """
        yield  # type: ignore[misc]  # marks the method as an async generator

    async def check(self) -> None:
        """Return when the store can serve requests.

        Raises:
            StoreUnavailableError: it cannot.
        """
        ...

    async def aclose(self) -> None:
        """Release connections and file handles."""
        ...
