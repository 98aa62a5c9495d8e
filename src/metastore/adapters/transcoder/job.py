"""The sandbox task: read the source once and pass its packets on to the writers of all renditions."""

from collections.abc import Mapping, Sequence
from typing import Protocol, TypedDict

import av
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from metastore.adapters.sandbox.errors import RefusedError
from metastore.adapters.sandbox.protocol import Emit, Json
from metastore.adapters.sandbox.scheduling import yield_to_everything
from metastore.adapters.sandbox.source_file import SourceFile
from metastore.adapters.transcoder.audio.tracks import audio_writer
from metastore.adapters.transcoder.demuxer import Demuxer
from metastore.adapters.transcoder.video.ladder_encoder import LARGE, LadderEncoder
from metastore.adapters.transcoder.video.remuxer import VideoRemuxer
from metastore.adapters.transcoder.video.segment_boundaries import SegmentRange
from metastore.kit.problems.reason_codes import ReasonCode
from metastore.ports.transcoder import AudioRendition, VideoRendition

_BASE_SEGMENTS, _BYTES_PER_SEGMENT = 2000, 512
"""Segments that any source may produce, and bytes of the source that allow one more.

Gaps between frames are filled with repeated frames and silence, so a source of a few bytes could produce days of them.
"""


class _Audio(TypedDict):
    name: str
    index: int
    copy: bool
    bitrate: int


class _Video(TypedDict):
    name: str
    width: int
    height: int
    bitrate: int


class _Job(TypedDict):
    copied_video: str | None
    audio: Sequence[_Audio]
    rungs: Sequence[_Video]
    cuts_us: Sequence[int]
    first: int
    until: int | None


class _Writer(Protocol):
    """Takes the packets of one stream and writes one or more renditions."""

    @property
    def stream(self) -> Stream: ...

    def take(self, packet: "Packet[Stream]") -> None: ...

    def finish(self) -> None: ...


def make(source: SourceFile, emit: Emit, job: _Job) -> None:
    """Run a ``Job`` and emit its output in the form that ``sandboxed_transcoder`` expects.

    Raises:
        RefusedError: The source is damaged or too large; ``NotCopyableError`` if only its video cannot be copied.
    """
    if job["rungs"] and job["until"] is None:
        # Encoding may take hours and must not slow down what users wait for.
        yield_to_everything()
    segments, max_segments = 0, _BASE_SEGMENTS + source.size // _BYTES_PER_SEGMENT

    def emit_limited(header: Mapping[str, Json], data: bytes) -> None:
        nonlocal segments
        segments += header["kind"] == "segment"
        if segments > max_segments:
            raise RefusedError(ReasonCode.FILM_UNREADABLE)
        emit(header, data)

    demuxer = Demuxer(source)
    writers = _create_writers(demuxer, job, emit_limited)
    if not writers:
        return
    _process(demuxer, writers)
    if not segments and not job["first"]:
        raise RefusedError(ReasonCode.FILM_UNREADABLE)


def _process(demuxer: Demuxer, writers: list[_Writer]) -> None:
    by_stream: dict[int, list[_Writer]] = {}
    for writer in writers:
        by_stream.setdefault(writer.stream.index, []).append(writer)
    try:
        for packet in demuxer.packets([writer.stream for writer in writers]):
            for writer in by_stream[packet.stream_index]:
                writer.take(packet)
            if all(isinstance(writer, LadderEncoder) and writer.is_stopped for writer in writers):
                break
        for writer in writers:
            writer.finish()
    except (MemoryError, av.ExternalError):
        # Encoders report a lack of memory as an external error.
        if any(_is_large(writer.stream) for writer in writers):
            raise RefusedError(ReasonCode.FILM_FRAME_TOO_LARGE) from None
        raise


def _is_large(stream: Stream) -> bool:
    return isinstance(stream, VideoStream) and stream.codec_context.width * stream.codec_context.height > LARGE


def _create_writers(demuxer: Demuxer, job: _Job, emit: Emit) -> list[_Writer]:
    writers: list[_Writer] = []
    if job["copied_video"]:
        writers.append(VideoRemuxer(demuxer, demuxer.video_stream(), job["copied_video"], emit))
    for audio in job["audio"]:
        rendition = AudioRendition(**audio)
        writers.append(audio_writer(demuxer, demuxer.audio_stream(rendition.index), rendition, emit))
    if job["rungs"]:
        rungs = [VideoRendition(**rung) for rung in job["rungs"]]
        segments = SegmentRange(job["cuts_us"], job["first"], job["until"])
        ladder = LadderEncoder(demuxer, demuxer.video_stream(), rungs, segments, emit)
        if ladder.is_complete:
            ladder.finish()
            return writers
        if not writers:
            ladder.seek(demuxer)
        writers.append(ladder)
    return writers
