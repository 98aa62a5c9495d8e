"""What both processes know of each other: how the data plane process is started, and what belongs to it."""

import json
import sys
from dataclasses import asdict, dataclass

COMMAND = (sys.executable, "-I", "-m", "metastore.entrypoints.data_plane")
"""Isolated (``-I``): neither the working directory nor ``PYTHONPATH`` can supply modules."""
PREFIX = "/objects/"
"""The path of the requests that belong to the data plane process."""


@dataclass(frozen=True, slots=True)
class Start:
    """What the process needs to know. The numbers are descriptors that it inherits, and the ID of the API process."""

    folder: str
    signing_key: str
    public_base: str
    origins: list[str]
    log_level: str
    passing: int
    calls: int
    parent: int

    def encode(self) -> bytes:
        """Return the document."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def decode(cls, document: bytes) -> "Start":
        """Return what ``encode`` has encoded."""
        return cls(**json.loads(document))
