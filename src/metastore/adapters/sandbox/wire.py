"""What parent and child say to each other. All numbers are big-endian.

The parent first sends a ``Task``. The child then asks and emits, any number of times, and ends with one of the others.
"""

import json
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]
Emit = Callable[[Mapping[str, Json], bytes], None]
"""How a task tells a result: what it is, as JSON, and its bytes. Waits until they are taken."""

ASK = b"R"
"""Followed by offset and length; answered by a length, at most the one asked for, and so many bytes."""
EMIT = b"M"
"""Followed by the lengths of a header, which is JSON, and of its data; then both. Not answered."""
DONE = b"D"
REFUSED = b"X"
NOT_COPYABLE = b"C"
NOTHING_TO_SEE = b"N"
FAILED = b"E"
"""The last: followed by a length and so many bytes: nothing, a ``ReasonCode``, or an error in UTF-8."""

QUESTION = struct.Struct(">QI")
LENGTH = struct.Struct(">I")
LENGTHS = struct.Struct(">II")
MAX_QUESTION = 2**20
MAX_HEADER = 2**20
MAX_REASON = 2**12


@dataclass(frozen=True, slots=True)
class Task:
    """What to do (``package.module:function``) with how many bytes, and the child's limits.

    Past ``cpu_seconds`` of the processor it is ended, unless the parent puts that off; never past ``most_cpu_seconds``.
    """

    name: str
    arguments: Mapping[str, Json]
    size: int
    memory: int
    cpu_seconds: int
    most_cpu_seconds: int

    def line(self) -> bytes:
        """As it is sent."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def of_line(cls, line: bytes) -> "Task":
        """As it was sent."""
        return cls(**json.loads(line))
