"""Metadata of uploads (``upload.json``) and objects (``object.json``)."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime

from blake3 import blake3

from metastore.ports.object_store import DamagedObjectError, StoredObject

_DIGEST = "digest"


@dataclass(frozen=True, slots=True)
class UploadMetadata:
    """Metadata of an open upload, as given at create; sizes in bytes."""

    key: str
    size: int
    part_size: int
    content_type: str
    started_at: str

    def encode(self) -> bytes:
        """Return the metadata as a JSON document."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def decode(cls, document: bytes) -> "UploadMetadata":
        """Parse a document made by ``encode``."""
        return cls(**json.loads(document))


@dataclass(frozen=True, slots=True)
class ObjectMetadata:
    """Metadata of an object; ``checksum`` has the port's notation.

    The document contains a digest of itself, so that damage is detected. Documents written by earlier versions have
    none.
    """

    key: str
    size: int
    etag: str
    checksum: str
    content_type: str
    modified_at: str

    def encode(self) -> bytes:
        """Return the metadata as a JSON document."""
        metadata = {name: getattr(self, name) for name in self.__slots__}
        return json.dumps({**metadata, _DIGEST: _digest(metadata)}).encode()

    @classmethod
    def decode(cls, document: bytes) -> "ObjectMetadata":
        """Parse a document made by ``encode``.

        Raises:
            DamagedObjectError: the document is unreadable or was altered.
        """
        try:
            metadata = json.loads(document)
            digest = metadata.pop(_DIGEST, None)
            decoded = cls(**metadata)
        except (ValueError, TypeError, AttributeError):
            raise DamagedObjectError("the metadata of an object is unreadable") from None
        if digest is not None and document != decoded.encode():
            raise DamagedObjectError("the metadata of an object was altered")
        return decoded

    def stored(self) -> StoredObject:
        """Return the port's representation."""
        return StoredObject(self.key, self.size, self.etag, self.checksum, datetime.fromisoformat(self.modified_at))


def _digest(metadata: dict[str, object]) -> str:
    return blake3(json.dumps(metadata).encode()).hexdigest(length=8)


def describe_object(upload: UploadMetadata, digests: list[bytes], modified_at: datetime) -> ObjectMetadata:
    """Return the metadata of the object made from ``upload``, given the BLAKE3 digests of its parts in order."""
    if len(digests) == 1:
        checksum = f"blake3:{digests[0].hex()}"
        etag = digests[0].hex()
    else:
        joined = blake3(b"".join(digests)).hexdigest()
        checksum = f"blake3-{upload.part_size}:{joined}"
        etag = f"{joined}-{len(digests)}"
    return ObjectMetadata(upload.key, upload.size, etag, checksum, upload.content_type, modified_at.isoformat())
