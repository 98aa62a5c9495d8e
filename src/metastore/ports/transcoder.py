"""Transcoding of films and audio into renditions for HTTP Live Streaming (RFC 8216).

A transcoder reads a ``Source`` like ``media_tools``, in the same sandbox: it can open no files and no network
connections, and its time, memory and output are limited. Its output is produced segment by segment, so that nothing is
ever complete in memory or on a local disk, and the first segments can be played while the rest is transcoded.

**Renditions** have one stream each: video without audio, or one audio track, as fragmented MP4 (ISO/IEC 14496-12,
CMAF). An init segment is followed by media segments. Each media segment starts with a keyframe and can be decoded with
the init segment alone.

**Timestamps.** All renditions of a source share one time line that starts at 0. In the segments it starts at
``SHIFT_US``, because decoding times may precede presentation times and must not be negative. Segments are numbered from
0. All video renditions are cut at the same times, so that players can switch between them at every segment.

**Resuming.** An interrupted job is run again with ``first`` set to the number of segments that every rung has. The new
segments fit the existing ones because the cuts depend on nothing but the source and the job.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from metastore.ports.media_tools import Source

SEGMENT_US = 4_000_000
"""The target duration of segments in microseconds. In remuxed video the keyframes decide."""
MAX_COPIED_SEGMENT_US = 12_000_000
"""The largest distance of keyframes in microseconds at which video is remuxed."""
SHIFT_US = 10_000_000
"""The offset in microseconds of all timestamps in segments."""


@dataclass(frozen=True, slots=True)
class AudioRendition:
    """Audio track ``index`` (from 0), remuxed with ``copy``, else as stereo AAC of ``bitrate`` bits per second."""

    name: str
    index: int
    copy: bool
    bitrate: int = 128_000


@dataclass(frozen=True, slots=True)
class VideoRendition:
    """The video as H.264 (8 bits, 4:2:0, SDR), upright, with a size in pixels and a maximum in bits per second."""

    name: str
    width: int
    height: int
    bitrate: int


@dataclass(frozen=True, slots=True)
class Job:
    """The renditions to make of a source in one pass.

    ``copied_video`` is the name of the remuxed video rendition. ``rungs`` share one decoder. Their segments start at
    ``cuts_us`` (ascending from 0; the cuts of the remuxed rendition), or every ``SEGMENT_US`` microseconds. ``first``
    is the first segment of the rungs to make. With ``until``, they stop before that segment; unless the source ends
    earlier, there is no ``Ended``, and another job continues.
    """

    copied_video: str | None = None
    audio: Sequence[AudioRendition] = ()
    rungs: Sequence[VideoRendition] = ()
    cuts_us: Sequence[int] = ()
    first: int = 0
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Started:
    """The start of a rendition: its init segment and its attributes in playlists (``codecs`` as in RFC 6381).

    ``target_seconds`` is the target duration of RFC 8216: the longest segment, rounded.
    """

    rendition: str
    init: bytes
    codecs: str
    target_seconds: int
    width: int | None = None
    height: int | None = None
    frame_rate: float | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """A media segment with its start and duration in microseconds, without ``SHIFT_US``."""

    rendition: str
    number: int
    start_us: int
    duration_us: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of a rendition: all its segments have been produced."""

    rendition: str


Output = Started | Segment | Ended


class Transcoder(Protocol):
    """A transcoder. The module's docstring is the contract."""

    def make(self, source: Source, job: Job) -> AsyncIterator[Output]:
        """Run the job and yield ``Started``, the segments in order and ``Ended`` of each rendition.

        The work pauses while output is not consumed. Closing the generator ends it.

        Raises:
            MediaRefusedError: the source cannot be transcoded. Video that cannot be remuxed, because its keyframes are
                not independent or too far apart, is refused with ``NotCopyableError``.
            MediaToolError: the tool failed or exceeded its limits.
        """
        ...
