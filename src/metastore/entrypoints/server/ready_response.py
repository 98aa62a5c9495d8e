"""Responses that an application has ready in memory."""

from collections.abc import Callable, Mapping
from typing import NamedTuple


class ReadyResponse(NamedTuple):
    """A complete response.

    ``head`` holds the header lines, each with its line ending, without Date and the final empty line.
    """

    status: int
    head: bytes
    body: bytes


ReadyResponder = Callable[[str, bytes, Mapping[bytes, bytes]], ReadyResponse | None]
"""Return the response to a GET with a decoded path, raw query and lower-case headers; ``None`` runs the application."""
