"""API shapes of streams and previews."""

from collections.abc import Sequence
from typing import Literal

from metastore.kit.api.schema import Schema

PreviewKind = Literal["video", "audio", "image", "pdf", "text", "markdown", "code", "none"]


class RenditionOut(Schema):
    """One rendition of a file: its video in one size, or one audio track.

    ``bandwidth`` is the peak in bits per second, available once the rendition is done. ``language`` is a BCP 47 tag.
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
    """A subtitle track: ``url`` returns WebVTT and needs no cookie. ``language`` is a BCP 47 tag."""

    name: str
    language: str | None
    url: str


class StreamOut(Schema):
    """Where to stream a playable file from: ``url`` is an HLS master playlist and needs no cookie.

    While ``complete`` is false more renditions will follow, so reload the master playlist now and then. ``poster`` is
    the URL of an image. ``sprite`` is the URL of a WebVTT file that maps times to regions of one image, for the time
    line of a player.
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
    """The beginning of a text file; ``language`` is a syntax highlighter's name for it if it is source code."""

    text: str
    truncated: bool
    language: str | None


class PreviewOut(Schema):
    """What a viewer needs to show a file.

    ``picture_url`` is a WebP image of up to 1024 pixels, whatever the ``kind``; for a document it shows the first page.
    ``url`` is the file itself, if browsers can show it within a page: images, PDF, and common kinds of video and audio.
    ``waveform`` holds the peaks of an audio file, from 0 to 255. ``excerpt`` is set for text, Markdown and code.
    ``stream_url`` is the ``url`` of ``StreamOut``, set once the file can be played.
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
