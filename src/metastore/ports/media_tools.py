"""Probes, thumbnails, sprites and waveforms of untrusted media.

A tool reads the bytes of a ``Source`` and nothing else: it can open no files and no network connections, and its time,
memory and output are limited. Media that it cannot process are *refused* with a reason for users; the same bytes will
be refused again. Other failures (a timeout, a crash, out of memory) may be temporary.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from metastore.kit.problems.reason_codes import ReasonCode

Read = Callable[[int, int], AsyncIterator[bytes]]
"""Streams a number of bytes from an offset: ``read(offset, length)``."""


@dataclass(frozen=True, slots=True)
class Source:
    """The media to process: ``size`` in bytes, and the detected content type."""

    read: Read
    size: int
    mime_type: str


@dataclass(frozen=True, slots=True)
class AudioTrack:
    """An audio track. ``language`` is a BCP 47 tag. A ``copyable`` track can be remuxed into fragmented MP4."""

    codec: str
    channels: int = 2
    language: str | None = None
    title: str | None = None
    default: bool = False
    copyable: bool = False


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What a probe found in a film, audio file, image or document.

    ``width`` and ``height`` are in pixels after applying the orientation, and ``None`` where they do not apply. Audio
    files have neither, even with a cover. ``video_copyable`` tells whether the video may be suitable for remuxing.
    ``pages`` is the number of a document's pages.
    """

    container: str
    width: int | None = None
    height: int | None = None
    duration_ms: int | None = None
    video_codec: str | None = None
    audio_codec: str | None = None
    frame_rate: float | None = None
    video_copyable: bool = False
    audio_tracks: tuple[AudioTrack, ...] = ()
    has_cover: bool = False
    pages: int | None = None


@dataclass(frozen=True, slots=True)
class Sprite:
    """A WebP image of ``count`` small frames of a film, row by row, one every ``interval_ms`` milliseconds."""

    data: bytes
    columns: int
    count: int
    tile_width: int
    tile_height: int
    interval_ms: int


class MediaRefusedError(Exception):
    """The media are invalid, unsupported or too large; ``code`` says why."""

    def __init__(self, code: ReasonCode) -> None:
        super().__init__(code.sentence)
        self.code = code


class NoPictureError(MediaRefusedError):
    """No image can be made of a file that may be valid.

    It has only audio, is encrypted, or is of a type that the installed programs cannot render.
    """


class NotCopyableError(MediaRefusedError):
    """The video cannot be remuxed, but it may be encoded."""


class MediaToolError(Exception):
    """The tool failed, for example by a timeout or a crash."""


class MediaTools(Protocol):
    """Media tools. The module's docstring is the contract."""

    async def probe(self, source: Source) -> ProbeResult:
        """Inspect the media.

        Raises:
            MediaRefusedError: it is not a supported type, or too large.
            MediaToolError: the tool failed.
        """
        ...

    async def thumbnails(self, source: Source, *, sizes: Sequence[int]) -> list[bytes]:
        """Return WebP thumbnails that fit into squares of ``sizes`` pixels, upright and without metadata.

        The source is decoded once. A film's thumbnail is a representative frame from its beginning, an audio file's is
        its cover, a document's its first page. Thumbnails are not larger than the original, except for vector formats.

        Raises:
            NoPictureError: there is nothing to show, or a document (PDF, office, SVG) cannot be rendered. Documents
                are refused with no other error.
            MediaRefusedError: it is damaged or too large.
            MediaToolError: the tool failed.
        """
        ...

    async def sprite(self, source: Source) -> Sprite:
        """Return a sprite of a film, for previews on the player's time line.

        Raises:
            NoPictureError: it has no video or no duration.
            MediaRefusedError: it is damaged or too large.
            MediaToolError: the tool failed.
        """
        ...

    async def waveform(self, source: Source, *, points: int) -> bytes:
        """Return the peak of each of ``points`` equal stretches of the first audio track, as bytes (255: full scale).

        Raises:
            MediaRefusedError: it has no audio or no duration.
            MediaToolError: the tool failed.
        """
        ...

    def can_preview(self, mime_type: str) -> bool:
        """Return whether thumbnails of this type are supported here. Documents need programs that may be missing."""
        ...
