"""API shapes of streams and previews."""

from collections.abc import Sequence
from typing import Literal

from metastore.kit.schema import Schema

PreviewKind = Literal["video", "audio", "image", "pdf", "text", "markdown", "code", "none"]


class RenditionOut(Schema):
    """One stream of a file: its picture at one size, or one track of its sound.

    ``bandwidth`` is in bits per second at the fullest, once the rendition is done. ``language`` is by BCP 47.
    """

    name: str
    kind: Literal["video", "audio"]
    state: Literal["making", "done"]
    width: int | None
    height: int | None
    bandwidth: int | None
    codecs: str
    frame_rate: float | None
    language: str | None
    title: str | None


class SubtitlesOut(Schema):
    """A track of subtitles: ``url`` is WebVTT, and needs no cookie."""

    name: str
    language: str | None
    url: str


class StreamOut(Schema):
    """Where a playable file streams from: ``url`` is an HLS master playlist, and needs no cookie.

    ``complete`` tells that no more renditions will come; until then the master is worth asking for again. ``poster`` is
    a picture; ``sprite`` is WebVTT whose cues name the pieces of a picture, for a player's time line.
    """

    url: str
    type: Literal["hls"] = "hls"
    renditions: Sequence[RenditionOut]
    complete: bool
    poster: str | None
    sprite: str | None
    subtitles: Sequence[SubtitlesOut]
    duration_ms: int | None


class ExcerptOut(Schema):
    """The beginning of a text; ``language`` is what a highlighter would call it, when it is code."""

    text: str
    truncated: bool
    language: str | None


class PreviewOut(Schema):
    """What a viewer needs to show a file.

    ``picture_url`` is a WebP picture of up to 1024 pixels: of a document its first page, whatever its ``kind``. ``url``
    is the file itself, to be shown within a page, where browsers can: pictures, PDF, films and sounds of common
    kinds. ``waveform`` has the peaks of a sound from 0 to 255. ``excerpt`` is there for text, Markdown and code.
    ``stream_url`` is that of ``StreamOut``, once there is something to play.
    """

    kind: PreviewKind
    mime_type: str
    size: int
    width: int | None
    height: int | None
    duration_ms: int | None
    picture_url: str | None
    url: str | None
    waveform: Sequence[int] | None
    excerpt: ExcerptOut | None
    stream_url: str | None
