"""Films and sounds, by FFmpeg's libraries: how they are opened, and what is in them."""

import contextlib
import itertools
from collections.abc import Iterator
from fractions import Fraction

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition, Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from metastore.adapters.media_tools import copying
from metastore.adapters.media_tools.languages import language_tag
from metastore.adapters.media_tools.limits import Patience
from metastore.adapters.sandbox.films import has_decoder, is_cover, open_container, video_of
from metastore.adapters.sandbox.refusal import RefusedError
from metastore.adapters.sandbox.source_bytes import ParentBytes
from metastore.adapters.sandbox.turning import turn_of
from metastore.kit.reason_codes import ReasonCode
from metastore.ports.media_tools import AudioTrack, MediaFacts

ERRORS = (av.FFmpegError, OSError)
"""What goes wrong while one reads."""
_MAX_PIXELS = 70_000_000
_READ_PATIENCE = (8.0, 256 * 2**20)
"""Seconds and bytes after which a film's length stays unknown."""
_MAX_TRACKS = 32
_MAX_FRAME_RATE = 1000
_MAX_PACKETS = 2000
"""How far one looks for a frame that can be decoded."""


def open_film(source: ParentBytes) -> InputContainer:
    """Its header, read.

    Raises:
        RefusedError: it is none.
    """
    container = open_container(source)
    for stream in container.streams:
        if has_decoder(stream):
            # Each thread would hold frames of its own.
            stream.codec_context.thread_count = 1
    return container


def cover_of(container: InputContainer) -> VideoStream | None:
    """The picture on a record's sleeve."""
    return next((stream for stream in container.streams.video if is_cover(stream) and has_decoder(stream)), None)


def first_frame(container: InputContainer, video: VideoStream) -> VideoFrame | None:
    """The next frame that can be decoded, if there is one before long."""
    return next(frames_of(container, video, _MAX_PACKETS), None)


def frames_of(container: InputContainer, video: VideoStream, packets: int | None = None) -> Iterator[VideoFrame]:
    """The frames of the next so many packets, or of all; what is damaged is left out."""
    with contextlib.suppress(*ERRORS):
        for packet in itertools.islice(container.demux(video), packets):
            with contextlib.suppress(av.FFmpegError):
                yield from packet.decode()


def sounds_of(container: InputContainer, track: AudioStream) -> Iterator[AudioFrame]:
    """Its sound, piece by piece; what is damaged is left out."""
    with contextlib.suppress(*ERRORS):
        for packet in container.demux(track):
            with contextlib.suppress(av.FFmpegError):
                yield from packet.decode()


def probe(source: ParentBytes) -> MediaFacts:
    """What is in it."""
    with open_film(source) as container:
        video = video_of(container)
        tracks = tuple(_track(stream) for stream in container.streams.audio[:_MAX_TRACKS])
        if video is None and not tracks:
            raise RefusedError(ReasonCode.FILM_UNREADABLE)
        frame = _shown(container, video) if video else None
        if frame is None and not tracks:
            raise RefusedError(ReasonCode.FILM_UNREADABLE)
        sized = upright_size(frame, video) if frame and video else (None, None)
        return MediaFacts(
            container=container.format.name[:50],
            width=sized[0],
            height=sized[1],
            duration_ms=duration_us(container, source) // 1000 or None,
            video_codec=codec_name(video) if video else None,
            audio_codec=tracks[0].codec if tracks else None,
            frame_rate=_frame_rate(video) if video else None,
            video_copyable=bool(video and frame and copying.is_video_copyable(container, video, frame)),
            audio_tracks=tracks,
            has_cover=cover_of(container) is not None,
        )


def check_size(video: VideoStream) -> None:
    """Refuse pictures too large to be decoded, of which a decoder may keep a dozen."""
    if video.codec_context.width * video.codec_context.height > _MAX_PIXELS:
        raise RefusedError(ReasonCode.FILM_FRAME_TOO_LARGE)


def duration_us(container: InputContainer, source: ParentBytes) -> int:
    """How long it plays; 0 when that is not known. What does not say so (a recording of a browser) is read through."""
    return _said_duration_us(container) or _read_duration_us(container, source)


def _said_duration_us(container: InputContainer) -> int:
    if container.duration and container.duration > 0:
        return container.duration
    streams = container.streams
    lengths = [stream.duration * stream.time_base for stream in streams if stream.duration and stream.time_base]
    return max(0, int(max(lengths, default=0) * 1_000_000))


def _read_duration_us(container: InputContainer, source: ParentBytes) -> int:
    before = source.most, source.until
    patience = Patience(source, *_READ_PATIENCE)
    start, end = container.start_time or 0, Fraction(0)
    with contextlib.suppress(*ERRORS):
        for packet in container.demux():
            if packet.pts is not None and packet.time_base:
                end = max(end, (packet.pts + (packet.duration or 0)) * packet.time_base)
            if patience.is_over():
                end = Fraction(0)
                break
    source.most, source.until = before
    with contextlib.suppress(*ERRORS):
        container.seek(start)
    return max(0, int(end * 1_000_000) - start)


def upright_size(frame: VideoFrame, video: VideoStream) -> tuple[int, int]:
    """Width and height as it is shown: turned as it was filmed, in square pixels."""
    aspect = video.sample_aspect_ratio or video.codec_context.sample_aspect_ratio
    width = max(1, round(frame.width * aspect)) if aspect and 0.1 < aspect < 10 else frame.width
    return turn_of(frame).size(width, frame.height)


def codec_name(stream: Stream) -> str:
    """As FFmpeg calls it, whichever decoder it would take."""
    return stream.codec_context.codec.canonical_name[:50] if has_decoder(stream) else "unknown"


def _shown(container: InputContainer, video: VideoStream) -> VideoFrame | None:
    check_size(video)
    return first_frame(container, video)


def _frame_rate(video: VideoStream) -> float | None:
    rate = video.average_rate or video.guessed_rate
    return round(float(rate), 3) if rate and 0 < rate <= _MAX_FRAME_RATE else None


def _track(stream: AudioStream) -> AudioTrack:
    decodable = has_decoder(stream)
    title = stream.metadata.get("title", "").strip()[:200]
    return AudioTrack(
        codec=codec_name(stream),
        channels=stream.codec_context.channels if decodable else 0,
        language=language_tag(stream.language or ""),
        title=title or None,
        default=bool(stream.disposition & Disposition.default),
        copyable=decodable and copying.is_audio_copyable(stream),
    )
