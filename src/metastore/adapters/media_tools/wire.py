"""What parent and child say to each other. All numbers are big-endian.

The parent first sends a ``Task``. The child then asks, any number of times, and ends with one of the other messages.
"""

import json
import struct
from dataclasses import asdict, dataclass

ASK = b"R"
"""Followed by offset and length; answered by a length, at most the one asked for, and so many bytes."""
DONE = b"D"
REFUSED = b"X"
FAILED = b"E"
"""These are followed by a length and so many bytes: the result, the reason in UTF-8, what went wrong."""

QUESTION = struct.Struct(">QI")
LENGTH = struct.Struct(">I")
MAX_QUESTION = 2**20
MAX_ANSWER = 4 * 2**20


@dataclass(frozen=True, slots=True)
class Task:
    """``pixels`` is 0 for a probe, else the side of the square that the thumbnail is to fit in."""

    size: int
    mime_type: str
    pixels: int
    memory: int
    cpu_seconds: int

    def line(self) -> bytes:
        """As it is sent."""
        return json.dumps(asdict(self)).encode() + b"\n"
