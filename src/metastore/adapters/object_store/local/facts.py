"""The facts kept beside the bytes of an upload and of an object, as JSON."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime

from blake3 import blake3

from metastore.ports.object_store import DamagedObjectError, StoredObject

_DIGEST = "digest"


@dataclass(frozen=True, slots=True)
class UploadFacts:
    """What was asked for at create; sizes in bytes."""

    key: str
    size: int
    part_size: int
    content_type: str
    started_at: str

    def encode(self) -> bytes:
        """The facts as a JSON document."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def decode(cls, document: bytes) -> "UploadFacts":
        """Facts from ``encode``."""
        return cls(**json.loads(document))


@dataclass(frozen=True, slots=True)
class ObjectFacts:
    """What is known of a whole object; ``checksum`` as in the port.

    The document ends in a digest of itself, so that a byte that changed in it is noticed. (Documents of earlier
    versions have none.)
    """

    key: str
    size: int
    etag: str
    checksum: str
    content_type: str
    modified_at: str

    def encode(self) -> bytes:
        """The facts as a JSON document."""
        facts = asdict(self)
        return json.dumps({**facts, _DIGEST: _digest(facts)}).encode()

    @classmethod
    def decode(cls, document: bytes) -> "ObjectFacts":
        """Facts from ``encode``.

        Raises:
            DamagedObjectError: this is not what ``encode`` gave.
        """
        try:
            facts = json.loads(document)
            digest = facts.pop(_DIGEST, None)
            decoded = cls(**facts)
        except (ValueError, TypeError, AttributeError):
            raise DamagedObjectError("the facts of an object cannot be read") from None
        if digest is not None and document != decoded.encode():
            raise DamagedObjectError("the facts of an object were changed")
        return decoded

    def stored(self) -> StoredObject:
        """The facts as the port gives them."""
        return StoredObject(self.key, self.size, self.etag, self.checksum, datetime.fromisoformat(self.modified_at))


def _digest(facts: dict[str, object]) -> str:
    return blake3(json.dumps(facts).encode()).hexdigest(length=8)


def describe_object(upload: UploadFacts, digests: list[bytes], modified_at: datetime) -> ObjectFacts:
    """The facts of the object that an upload becomes, from its parts' BLAKE3 digests in order."""
    if len(digests) == 1:
        checksum = f"blake3:{digests[0].hex()}"
        etag = digests[0].hex()
    else:
        joined = blake3(b"".join(digests)).hexdigest()
        checksum = f"blake3-{upload.part_size}:{joined}"
        etag = f"{joined}-{len(digests)}"
    return ObjectFacts(upload.key, upload.size, etag, checksum, upload.content_type, modified_at.isoformat())
