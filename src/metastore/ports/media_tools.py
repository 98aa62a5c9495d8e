"""Looking into films and pictures, which may have been made to do harm.

A tool gets the bytes from a ``Source`` and nothing else: it can open no file and reach no network, and has limits of
time, memory and output. What it cannot make sense of is *refused*, with a reason for people: the same bytes will be
refused again. Whatever else goes wrong (it hangs, dies, runs out of memory) is a failure that may pass.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Protocol

Read = Callable[[int, int], AsyncIterator[bytes]]
"""Stream so many bytes from that offset."""


@dataclass(frozen=True, slots=True)
class Source:
    """The bytes to look into: ``size`` of them, of that media type as far as one knows."""

    read: Read
    size: int
    mime_type: str


@dataclass(frozen=True, slots=True)
class MediaFacts:
    """What is in a film or picture; sizes in pixels as they are shown, ``None`` where that has no meaning."""

    container: str
    width: int | None = None
    height: int | None = None
    duration_ms: int | None = None
    video_codec: str | None = None
    audio_codec: str | None = None


class MediaRefusedError(Exception):
    """The bytes cannot be made sense of, or are too much; the message is a sentence for people."""


class MediaToolError(Exception):
    """The tool did not come to an end."""


class MediaTools(Protocol):
    """See the module."""

    async def probe(self, source: Source) -> MediaFacts:
        """What is in it.

        Raises:
            MediaRefusedError: it is neither film nor picture, or too large.
            MediaToolError: see the module.
        """
        ...

    async def thumbnail(self, source: Source, *, size: int) -> bytes:
        """A WebP picture that fits in a square of ``size`` pixels, turned as it is meant to be seen, without metadata.

        Of a film it is a frame from its beginning.

        Raises:
            MediaRefusedError: there is nothing to be seen in it.
            MediaToolError: see the module.
        """
        ...
