"""Open video and audio containers, decode their frames and probe them, with FFmpeg's libraries."""

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

from metastore.adapters.media_tools.av import stream_copy
from metastore.adapters.media_tools.av.language_tags import language_tag
from metastore.adapters.media_tools.limits import Budget
from metastore.adapters.sandbox.containers import has_decoder, is_cover, open_container, video_of
from metastore.adapters.sandbox.errors import RefusedError
from metastore.adapters.sandbox.orientation import orientation_of
from metastore.adapters.sandbox.source_file import SourceFile
from metastore.kit.problems.reason_codes import ReasonCode
from metastore.ports.media_tools import AudioTrack, ProbeResult

ERRORS = (av.FFmpegError, OSError)
"""Exceptions that reading and seeking may raise."""
_MAX_PIXELS = 70_000_000
_DURATION_BUDGET = (8.0, 256 * 2**20)
"""Seconds and bytes after which the duration stays unknown."""
_MAX_TRACKS = 32
_MAX_FRAME_RATE = 1000
_MAX_PACKETS = 2000
"""How many packets are searched for a frame that can be decoded."""


def open_source(source: SourceFile) -> InputContainer:
    """Open a container, with single-threaded decoders.

    Raises:
        RefusedError: It cannot be read.
    """
    container = open_container(source)
    for stream in container.streams:
        if has_decoder(stream):
            # Each thread would keep frames of its own in memory.
            stream.codec_context.thread_count = 1
    return container


def cover_of(container: InputContainer) -> VideoStream | None:
    """Return the stream that holds the cover of an audio file."""
    return next((stream for stream in container.streams.video if is_cover(stream) and has_decoder(stream)), None)


def first_frame(container: InputContainer, video: VideoStream) -> VideoFrame | None:
    """Decode the next frame, skipping a limited number of undecodable packets."""
    return next(frames_of(container, video, _MAX_PACKETS), None)


def frames_of(container: InputContainer, video: VideoStream, packets: int | None = None) -> Iterator[VideoFrame]:
    """Decode the frames of the next ``packets`` packets, or of all; damaged ones are skipped."""
    with contextlib.suppress(*ERRORS):
        for packet in itertools.islice(container.demux(video), packets):
            with contextlib.suppress(av.FFmpegError):
                yield from packet.decode()


def audio_frames_of(container: InputContainer, track: AudioStream) -> Iterator[AudioFrame]:
    """Decode the frames of an audio track; damaged ones are skipped."""
    with contextlib.suppress(*ERRORS):
        for packet in container.demux(track):
            with contextlib.suppress(av.FFmpegError):
                yield from packet.decode()


def probe(source: SourceFile) -> ProbeResult:
    """Probe a container.

    Raises:
        RefusedError: It cannot be read, or contains neither video nor audio.
    """
    with open_source(source) as container:
        video = video_of(container)
        tracks = tuple(_track(stream) for stream in container.streams.audio[:_MAX_TRACKS])
        if video is None and not tracks:
            raise RefusedError(ReasonCode.FILM_UNREADABLE)
        frame = _checked_first_frame(container, video) if video else None
        if frame is None and not tracks:
            raise RefusedError(ReasonCode.FILM_UNREADABLE)
        size = upright_size(frame, video) if frame and video else (None, None)
        return ProbeResult(
            container=container.format.name[:50],
            width=size[0],
            height=size[1],
            duration_ms=duration_us(container, source) // 1000 or None,
            video_codec=codec_name(video) if video else None,
            audio_codec=tracks[0].codec if tracks else None,
            frame_rate=_frame_rate(video) if video else None,
            video_copyable=bool(video and frame and stream_copy.is_video_copyable(container, video, frame)),
            audio_tracks=tracks,
            has_cover=cover_of(container) is not None,
        )


def check_size(video: VideoStream) -> None:
    """Refuse video whose frames are too large; a decoder may keep a dozen of them."""
    if video.codec_context.width * video.codec_context.height > _MAX_PIXELS:
        raise RefusedError(ReasonCode.FILM_FRAME_TOO_LARGE)


def duration_us(container: InputContainer, source: SourceFile) -> int:
    """Return the duration, or 0 if it is unknown.

    A container without a duration, as browsers record, is read to its end.
    """
    return _header_duration_us(container) or _measured_duration_us(container, source)


def _header_duration_us(container: InputContainer) -> int:
    if container.duration and container.duration > 0:
        return container.duration
    streams = container.streams
    durations = [stream.duration * stream.time_base for stream in streams if stream.duration and stream.time_base]
    return max(0, int(max(durations, default=0) * 1_000_000))


def _measured_duration_us(container: InputContainer, source: SourceFile) -> int:
    limits = source.max_requested, source.deadline
    budget = Budget(source, *_DURATION_BUDGET)
    start, end = container.start_time or 0, Fraction(0)
    with contextlib.suppress(*ERRORS):
        for packet in container.demux():
            if packet.pts is not None and packet.time_base:
                end = max(end, (packet.pts + (packet.duration or 0)) * packet.time_base)
            if budget.is_exhausted():
                end = Fraction(0)
                break
    source.max_requested, source.deadline = limits
    with contextlib.suppress(*ERRORS):
        container.seek(start)
    return max(0, int(end * 1_000_000) - start)


def upright_size(frame: VideoFrame, video: VideoStream) -> tuple[int, int]:
    """Return width and height as displayed: rotated upright, in square pixels."""
    aspect = video.sample_aspect_ratio or video.codec_context.sample_aspect_ratio
    width = max(1, round(frame.width * aspect)) if aspect and 0.1 < aspect < 10 else frame.width
    return orientation_of(frame).size(width, frame.height)


def codec_name(stream: Stream) -> str:
    """Return FFmpeg's name of the codec, whichever decoder is used."""
    return stream.codec_context.codec.canonical_name[:50] if has_decoder(stream) else "unknown"


def _checked_first_frame(container: InputContainer, video: VideoStream) -> VideoFrame | None:
    check_size(video)
    return first_frame(container, video)


def _frame_rate(video: VideoStream) -> float | None:
    rate = video.average_rate or video.guessed_rate
    return round(float(rate), 3) if rate and 0 < rate <= _MAX_FRAME_RATE else None


def _track(stream: AudioStream) -> AudioTrack:
    is_decodable = has_decoder(stream)
    title = stream.metadata.get("title", "").strip()[:200]
    return AudioTrack(
        codec=codec_name(stream),
        channels=stream.codec_context.channels if is_decodable else 0,
        language=language_tag(stream.language or ""),
        title=title or None,
        default=bool(stream.disposition & Disposition.default),
        copyable=is_decodable and stream_copy.is_audio_copyable(stream),
    )
