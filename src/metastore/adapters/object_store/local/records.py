"""The record that a part was received: what makes it durable and what survives a torn write.

A record has a fixed size and ends in a digest of itself. ``parts.log`` is an array of them, written front to back; a
slot that was never written (zeros), or only half, does not match its digest and counts for nothing. Of two records of
one part, the one in the later slot holds.
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
    """A received part: ``side`` names the side file that holds it (hex), ``None`` when it is in place in ``data``."""

    number: int
    size: int
    digest: bytes
    side: str | None

    @property
    def etag(self) -> str:
        """The part's ETag."""
        return self.digest.hex()

    def encode(self) -> bytes:
        """The record as ``RECORD_SIZE`` bytes."""
        side = bytes.fromhex(self.side) if self.side else _IN_PLACE
        body = _BODY.pack(_MAGIC, self.number, self.size, side, self.digest)
        return body + _check(body)


def decode_records(log: bytes) -> Iterator[tuple[int, PartRecord]]:
    """Every whole record with its slot, by ascending slot."""
    for slot in range(len(log) // RECORD_SIZE):
        start = slot * RECORD_SIZE
        body = log[start : start + _BODY.size]
        if log[start + _BODY.size : start + RECORD_SIZE] == _check(body):
            _, number, size, side, digest = _BODY.unpack(body)
            yield slot, PartRecord(number, size, digest, None if side == _IN_PLACE else side.hex())


def _check(body: bytes) -> bytes:
    return blake3(body).digest(length=_CHECK_SIZE)
