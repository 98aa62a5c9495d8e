"""Format of ``parts.log``, the durable record of the parts that an upload received.

The log is an array of fixed-size slots, written front to back. Each record ends with a digest of itself, so a slot that
was never written (zeros) or was torn by a crash is ignored. If there are several records of a part, the one in the
last slot wins.

A record is, in little-endian byte order: the magic ``MSP1``, the part number (4 bytes), the size (8 bytes), the id of
the side file or zeros (16 bytes), the BLAKE3 hash of the part (32 bytes), and the first 8 bytes of the BLAKE3 hash of
all that.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from blake3 import blake3

_BODY = struct.Struct("<4sIQ16s32s")
_CHECK_SIZE = 8
_MAGIC = b"MSP1"
_IN_PLACE = bytes(16)
RECORD_SIZE = _BODY.size + _CHECK_SIZE


@dataclass(frozen=True, slots=True)
class PartRecord:
    """A received part.

    ``side`` is the id of the side file that holds it, in hex, or ``None`` if the part is in place in ``data``.
    """

    number: int
    size: int
    digest: bytes
    side: str | None

    @property
    def etag(self) -> str:
        """The part's ETag, the hex digest of its bytes."""
        return self.digest.hex()

    def encode(self) -> bytes:
        """Return the record as ``RECORD_SIZE`` bytes."""
        side = bytes.fromhex(self.side) if self.side else _IN_PLACE
        body = _BODY.pack(_MAGIC, self.number, self.size, side, self.digest)
        return body + _check(body)


def decode_records(log: bytes) -> Iterator[tuple[int, PartRecord]]:
    """Yield the valid records with their slots, by ascending slot."""
    for slot in range(len(log) // RECORD_SIZE):
        start = slot * RECORD_SIZE
        body = log[start : start + _BODY.size]
        if log[start + _BODY.size : start + RECORD_SIZE] == _check(body):
            _, number, size, side, digest = _BODY.unpack(body)
            yield slot, PartRecord(number, size, digest, None if side == _IN_PLACE else side.hex())


def _check(body: bytes) -> bytes:
    return blake3(body).digest(length=_CHECK_SIZE)
