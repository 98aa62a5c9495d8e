"""Looking into films and pictures, which may have been made to do harm.

A tool gets the bytes from a ``Source`` and nothing else: it can open no file and reach no network, and has limits of
time, memory and output. What it cannot make sense of is *refused*, with a reason for people: the same bytes will be
refused again. Whatever else goes wrong (it hangs, dies, runs out of memory) is a failure that may pass.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from metastore.kit.reason_codes import ReasonCode

Read = Callable[[int, int], AsyncIterator[bytes]]
"""Stream so many bytes from that offset."""


@dataclass(frozen=True, slots=True)
class Source:
    """The bytes to look into: ``size`` of them, of that media type as far as one knows."""

    read: Read
    size: int
    mime_type: str


@dataclass(frozen=True, slots=True)
class AudioTrack:
    """A track of sound; ``language`` by BCP 47 as far as it is known, ``copyable`` into fragmented MP4 as it is."""

    codec: str
    channels: int = 2
    language: str | None = None
    title: str | None = None
    default: bool = False
    copyable: bool = False


@dataclass(frozen=True, slots=True)
class MediaFacts:
    """What is in a film, sound, picture or document.

    Sizes in pixels as they are shown, upright; ``None`` where that has no meaning. Sound alone has no size, even with
    a cover. ``video_copyable``: the picture might be streamed as it is. ``pages`` is a document's.
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
    """Small frames of a film in one WebP picture, row by row: one every ``interval_ms``, ``count`` in all."""

    data: bytes
    columns: int
    count: int
    tile_width: int
    tile_height: int
    interval_ms: int


class MediaRefusedError(Exception):
    """The media cannot be read, or are too large; ``code`` says why."""

    def __init__(self, code: ReasonCode) -> None:
        super().__init__(code.sentence)
        self.code = code


class NothingToSeeError(MediaRefusedError):
    """No picture can be made of it here, which says nothing against it.

    It is sound alone, or locked, or of a kind that the programs here cannot draw. The file is as good as it was.
    """


class NotCopyableError(MediaRefusedError):
    """The picture was to be copied, and cannot be; it may well be encoded."""


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

    async def thumbnails(self, source: Source, *, sizes: Sequence[int]) -> list[bytes]:
        """WebP pictures that fit in squares of ``sizes`` pixels, turned as meant to be seen, without metadata.

        All from one decoding. Of a film it is a telling frame from its beginning, of sound its cover, of a document
        its first page. None is larger than the original is, except of what has no pixels of its own.

        Raises:
            NothingToSeeError: there is nothing to be seen in it, or it is a document that cannot be drawn; of
                documents and drawings (PDF, office, SVG) no other refusal comes.
            MediaRefusedError: it is damaged, or too large.
            MediaToolError: see the module.
        """
        ...

    async def sprite(self, source: Source) -> Sprite:
        """A film at a glance, for the player's time line.

        Raises:
            NothingToSeeError: it has no picture, or no length.
            MediaRefusedError: it is damaged, or too large.
            MediaToolError: see the module.
        """
        ...

    async def waveform(self, source: Source, *, points: int) -> bytes:
        """The loudest sample of each of ``points`` equal stretches of the first track, as a byte (255: full scale).

        Raises:
            MediaRefusedError: it has no sound, or no length.
            MediaToolError: see the module.
        """
        ...

    def can_show(self, mime_type: str) -> bool:
        """Whether ``thumbnails`` may be asked for of such a file here (documents need programs that may be missing)."""
        ...
