"""The protocol between parent and child. All numbers are big-endian.

The parent first sends a ``Task``. The child then sends ``READ`` and ``EMIT``, any number of times, and one of the other
messages at the end.
"""

import json
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]
Emit = Callable[[Mapping[str, Json], bytes], None]
"""Emit a result to the parent: a JSON header and the data. Blocks until the parent has received it."""

READ = b"R"
"""Followed by offset and length. The response is a length, at most the requested one, and that many bytes."""
EMIT = b"M"
"""Followed by the lengths of the JSON header and of the data, then both. There is no response."""
DONE = b"D"
REFUSED = b"X"
NOT_COPYABLE = b"C"
NO_PICTURE = b"N"
FAILED = b"E"
"""The last message is one of these. A length follows, then as many bytes: nothing, a ``ReasonCode`` or an error."""

RANGE = struct.Struct(">QI")
LENGTH = struct.Struct(">I")
LENGTHS = struct.Struct(">II")
MAX_READ = 2**20
MAX_HEADER = 2**20
MAX_REASON = 2**12


@dataclass(frozen=True, slots=True)
class Task:
    """A task and the child's limits.

    Attributes:
        name: The function, as ``package.module:function``.
        arguments: Its keyword arguments.
        size: Bytes of the source.
        memory: Bytes of address space.
        cpu_seconds: Processor time after which the kernel ends the child, unless the parent raises the limit.
        max_cpu_seconds: The highest limit that the parent may set.
    """

    name: str
    arguments: Mapping[str, Json]
    size: int
    memory: int
    cpu_seconds: int
    max_cpu_seconds: int

    def line(self) -> bytes:
        """Encode the task as a line of JSON."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def of_line(cls, line: bytes) -> "Task":
        """Decode a task from a line of JSON."""
        return cls(**json.loads(line))
