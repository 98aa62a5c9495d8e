"""Bytes under keys, written in parts straight by clients.

The protocol is that of Amazon S3 (multipart upload, presigned URLs), reduced to what the product uses, so that any
S3-compatible server and the embedded local store are interchangeable.

**Keys** are made by the product (``files/<uuid>``), never by people: ASCII letters, digits, ``-``, ``_``, ``.`` and
``/``. An object is immutable: nothing appears under a key before it is whole, and a key is never written twice.

**Multipart upload.** ``create_multipart`` opens it; the client PUTs each part to its presigned URL, in any order, many
at a time, any part again; ``complete_multipart`` makes the object appear under its key, whole, or changes nothing.
All parts have ``part_size`` bytes but the last, which has the rest; an object of zero bytes has one part of zero bytes.
A presigned part URL binds method, key, upload, part number, exact length and expiry.

**Durability.** A 2xx answer to a part, and the return of ``complete_multipart``, ``put`` and ``delete``, mean that the
change survives a power cut.

**ETags** are opaque to callers. They are given without the quotes that HTTP puts around them, and compared as such.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Part:
    """A part that the store holds."""

    number: int
    etag: str
    size: int


@dataclass(frozen=True, slots=True)
class CompletedPart:
    """A part as the client names it at complete."""

    number: int
    etag: str


@dataclass(frozen=True, slots=True)
class StoredObject:
    """A whole object: its size in bytes, ETag, and checksum where the store knows one.

    ``checksum`` describes itself: ``algorithm:hex`` of the bytes, or ``algorithm-blocksize:hex``, which is the
    algorithm over the concatenated digests of consecutive blocks of ``blocksize`` bytes.
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
    """Everything needed to presign or list the parts of one multipart upload; sizes in bytes."""

    key: str
    upload_id: str
    size: int
    part_size: int

    @property
    def part_count(self) -> int:
        """Number of parts, at least one."""
        return max(1, -(-self.size // self.part_size))

    def part_length(self, number: int) -> int:
        """Exact length in bytes of part ``number`` (counted from 1)."""
        if number == self.part_count:
            return self.size - (number - 1) * self.part_size
        return self.part_size


class ObjectStoreError(Exception):
    """The store did not do what was asked; nothing was changed unless the subclass says otherwise."""


class ObjectNotFoundError(ObjectStoreError):
    """No object under that key."""


class UploadNotFoundError(ObjectStoreError):
    """The multipart upload never was, or was completed or aborted."""


class InvalidPartError(ObjectStoreError):
    """A part named at complete is missing or has another ETag or size. The upload stays open."""

    def __init__(self, number: int, reason: str) -> None:
        super().__init__(f"part {number}: {reason}")
        self.number = number
        self.reason = reason


class StoreFullError(ObjectStoreError):
    """No room left on the store's device."""


class StoreUnavailableError(ObjectStoreError):
    """The store did not answer, or answered with a fault of its own, within its deadline."""


class DamagedObjectError(StoreUnavailableError):
    """The store has the object, but not as it was given: facts that cannot be right, or bytes missing or too many."""


class ObjectStore(Protocol):
    """See the module. Every call ends within 30 seconds, with ``StoreUnavailableError`` if need be."""

    @property
    def public_origin(self) -> str:
        """The origin that presigned URLs lead to (``https://host``); empty when that is the product's own."""
        ...

    async def create_multipart(self, key: str, *, size: int, part_size: int, content_type: str) -> str:
        """Open a multipart upload of ``size`` bytes and return its id.

        Raises:
            StoreFullError: the store has no room for ``size`` bytes.
        """
        ...

    async def presign_parts(self, target: UploadTarget, numbers: Sequence[int], *, expires_in: int) -> list[str]:
        """URLs, in the order of ``numbers``, to PUT those parts to within ``expires_in`` seconds.

        A URL is absolute, or a path on the product's own origin (starting with ``/``).
        """
        ...

    async def list_parts(self, target: UploadTarget) -> list[Part]:
        """The parts received so far, by ascending number.

        Raises:
            UploadNotFoundError: the upload is not open.
        """
        ...

    async def complete_multipart(self, target: UploadTarget, parts: Sequence[CompletedPart]) -> StoredObject:
        """Make the object appear. Every part from 1 to ``part_count`` must be named, in order, with its ETag.

        Raises:
            InvalidPartError: names the first bad part; the upload stays open.
            UploadNotFoundError: the upload is not open (look with ``head`` whether it had been completed).
        """
        ...

    async def abort_multipart(self, key: str, upload_id: str) -> None:
        """Free all that the upload held; nothing happens when it is not open. Never removes a completed object."""
        ...

    async def is_open(self, key: str, upload_id: str) -> bool:
        """Whether that multipart upload is open. Changes nothing, not even what a store tidies up by itself."""
        ...

    async def list_multiparts(self) -> AsyncIterator[OpenMultipart]:
        """Every open multipart upload (an async generator)."""
        yield  # type: ignore[misc]  # marks the method as an async generator

    async def put(self, key: str, chunks: AsyncIterator[bytes], *, size: int, content_type: str) -> StoredObject:
        """Store a small object from a stream of exactly ``size`` bytes.

        Raises:
            StoreFullError: no room.
            ValueError: the stream was longer or shorter than ``size``; nothing is kept.
        """
        ...

    async def head(self, key: str) -> StoredObject:
        """Facts of an object.

        Raises:
            ObjectNotFoundError: no such object.
        """
        ...

    async def examine(self, key: str) -> StoredObject:
        """``head`` for one who doubts: looks at what is stored now, and compares all that need not read the bytes.

        Raises:
            ObjectNotFoundError: no such object.
            DamagedObjectError: what the store keeps of it contradicts itself.
        """
        ...

    def read(self, key: str, *, offset: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """Stream bytes from ``offset``, ``length`` of them or to the end.

        Raises:
            ObjectNotFoundError: no such object (on first iteration).
            DamagedObjectError: there are fewer bytes than there should be.
        """
        ...

    async def presign_get(
        self,
        key: str,
        *,
        filename: str,
        content_type: str,
        inline: bool = False,
        head: bool = False,
        expires_in: int,
    ) -> str:
        """A URL that serves the object to GET, with ranges, for ``expires_in`` seconds; to HEAD with ``head``.

        S3 signs the method, so that one URL cannot be relied on to serve both.

        The answer carries ``Content-Disposition`` with ``filename`` (RFC 6266, RFC 8187) and ``content_type``.
        """
        ...

    async def presign_reads(self, keys: Sequence[str], *, content_type: str, expires_in: int) -> list[str]:
        """URLs, in the order of ``keys``, that serve those objects to GET, with ranges; made for thousands at once.

        They are the same for a period of a quarter of ``expires_in``, in every process (``kit.clock.period_start``),
        and end ``expires_in`` seconds after it began. So caches find the objects again, and the answers ask them to
        keep them (``Cache-Control: private, max-age=…, immutable``). The objects are shown by themselves or within a
        page, under no name. As for ``presign_get``, HEAD is another method.
        """
        ...

    async def delete(self, keys: Iterable[str]) -> None:
        """Remove objects; absent ones are passed over."""
        ...

    async def list_objects(self, prefix: str = "") -> AsyncIterator[StoredObject]:
        """Every object whose key starts with ``prefix`` (an async generator), in no promised order.

        ``checksum`` may be ``None`` here even where ``head`` knows it. Objects whose facts cannot be read are left out.
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
