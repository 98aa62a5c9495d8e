"""Films and sound made into what HTTP Live Streaming (RFC 8216) plays: renditions, cut into segments.

A transcoder reads a ``Source`` as ``media_tools`` does, and under the same guard: it can open no file, reach no
network, and has limits of time, memory and output. What it makes comes out segment by segment, so that nothing is ever
whole in memory or on a local disk, and can be stored and played while the rest is still being made.

**Renditions** hold one stream each: a picture without sound, or one track of sound, as fragmented MP4 (ISO/IEC
14496-12, CMAF): an initialisation segment, then media segments, each of which begins with a frame that stands by itself
and can be decoded with nothing but the initialisation segment.

**Time.** All renditions of one source share one clock: what is heard and seen together has the same time. The source's
beginning is 0; in the segments that is ``SHIFT_US``, since decoding begins before showing and no time may be negative.
A segment's number is its place, from 0; every rendition of pictures has the same cuts, so that players can change from
one to another at any of them.

**Going on.** A job that was cut off is done again with ``first`` set to the number of pictures' segments that every
rung has: what comes out then fits what came out before, because cuts follow from the source and the job alone.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from metastore.ports.media_tools import Source

SEGMENT_US = 4_000_000
"""How long segments are meant to be, in microseconds; where the picture is copied, its keyframes have the last word."""
MAX_COPIED_SEGMENT_US = 12_000_000
"""Keyframes further apart are no good for streaming: such a picture is not copied."""
SHIFT_US = 10_000_000
"""What is added to all times within the segments."""


@dataclass(frozen=True, slots=True)
class AudioRendition:
    """Track ``index`` of the sounds (from 0): copied as it is, or as AAC of ``bitrate`` bits per second, in stereo."""

    name: str
    index: int
    copy: bool
    bitrate: int = 128_000


@dataclass(frozen=True, slots=True)
class VideoRendition:
    """The picture as H.264 (8 bits, 4:2:0, SDR), upright, of that size in pixels, up to ``bitrate`` bits a second."""

    name: str
    width: int
    height: int
    bitrate: int


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be made of a source in one reading.

    ``copied_video`` names the rendition that gets the picture as it is. ``rungs`` are made by one decoding. Their
    segments begin at ``cuts_us`` (ascending, the first is 0; those of the copied rendition, so that all are cut alike),
    or every ``SEGMENT_US`` without them. ``first`` is about the rungs alone.
    """

    copied_video: str | None = None
    audio: Sequence[AudioRendition] = ()
    rungs: Sequence[VideoRendition] = ()
    cuts_us: Sequence[int] = ()
    first: int = 0


@dataclass(frozen=True, slots=True)
class Started:
    """A rendition's initialisation segment, and what a playlist says of it (``codecs`` by RFC 6381).

    ``target_seconds``: no segment will be longer, rounded as RFC 8216 has it.
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
    """A media segment, when it begins and how long it is, in microseconds without ``SHIFT_US``."""

    rendition: str
    number: int
    start_us: int
    duration_us: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Ended:
    """The rendition has all of its segments."""

    rendition: str


Output = Started | Segment | Ended


class Transcoder(Protocol):
    """See the module."""

    def make(self, source: Source, job: Job) -> AsyncIterator[Output]:
        """Do the job (an async generator): of each rendition ``Started``, its segments in order, and ``Ended``.

        The work waits while nobody takes what it made. Closing the generator ends it.

        Raises:
            MediaRefusedError: the source cannot be made into that; a picture that cannot be copied (its keyframes do
                not stand by themselves, or are too far apart) is refused as ``NotCopyableError``.
            MediaToolError: the tool hung, died, or went beyond its limits.
        """
        ...
