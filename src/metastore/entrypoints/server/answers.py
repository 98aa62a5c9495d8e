"""What an application may answer without a task being made for it."""

from collections.abc import Callable, Mapping
from typing import NamedTuple


class ReadyAnswer(NamedTuple):
    """A whole answer in memory; ``head`` is its header lines, each with its line end, without Date and the last one."""

    status: int
    head: bytes
    body: bytes


AnswerNow = Callable[[str, bytes, Mapping[bytes, bytes]], ReadyAnswer | None]
"""Decoded path, raw query and headers (lower-case) of a GET → its answer, or ``None`` to have the application run."""
