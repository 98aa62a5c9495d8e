"""Run transcoder jobs, validate their output and decode it."""

import io
from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise

import av
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame

from metastore.adapters.transcoder.sandboxed_transcoder import SandboxedTranscoder
from metastore.ports.media_tools import Source
from metastore.ports.transcoder import SHIFT_US, AudioRendition, Ended, Job, Segment, Started, VideoRendition
from tests.fixtures.hls_validator import ALLOWED_DRIFT
from tests.fixtures.hls_validator_boxes import read_fragment, read_init
from tests.fixtures.hls_validator_syntax import Faults

SHIFT = SHIFT_US / 1_000_000
SMALL = VideoRendition("small", 160, 90, 200_000)
SAME = VideoRendition("same", 320, 180, 400_000)
COPIED = Job(copied_video="copied")
RUNGS = Job(rungs=[SAME, SMALL])
AUDIO_ENCODED = Job(audio=[AudioRendition("sound", 0, copy=False)])
AUDIO_COPIED = Job(audio=[AudioRendition("sound", 0, copy=True)])


@dataclass
class Received:
    """A rendition as the parent process received it."""

    started: Started
    segments: list[Segment] = field(default_factory=list)
    has_ended: bool = False

    def file(self) -> bytes:
        """Return the whole rendition as one file."""
        return b"".join([self.started.init, *(segment.data for segment in self.segments)])

    def alone(self, number: int) -> bytes:
        """Return the init segment and one segment as a file."""
        return self.started.init + self.segments[number].data


def source(content: bytes, mime_type: str = "video/mp4") -> Source:
    """Return a source of bytes in memory."""

    async def read(offset: int, length: int) -> AsyncIterator[bytes]:
        yield content[offset : offset + length]

    return Source(read, len(content), mime_type)


async def transcode(content: bytes, job: Job, transcoder: SandboxedTranscoder | None = None) -> dict[str, Received]:
    """Run a job; return the renditions by name, after checking that their outputs are in order and valid."""
    renditions: dict[str, Received] = {}
    work = (transcoder or SandboxedTranscoder()).make(source(content), job)
    async with aclosing(work):
        async for output in work:
            if isinstance(output, Started):
                assert output.rendition not in renditions
                renditions[output.rendition] = Received(output)
                continue
            rendition = renditions[output.rendition]
            assert not rendition.has_ended
            if isinstance(output, Ended):
                rendition.has_ended = True
            else:
                rendition.segments.append(output)
    assert all(rendition.has_ended for rendition in renditions.values())
    faults: Faults = []
    for rendition in renditions.values():
        _validate(rendition, faults)
    assert [] == faults
    return renditions


async def transcode_beginning(content: bytes, job: Job) -> Received:
    """Run a job of one rung that stops early; return what it made."""
    outputs = [output async for output in SandboxedTranscoder().make(source(content), job)]
    started = next(output for output in outputs if isinstance(output, Started))
    segments = [output for output in outputs if isinstance(output, Segment)]
    return Received(started, segments, any(isinstance(output, Ended) for output in outputs))


async def transcode_one(content: bytes, job: Job) -> Received:
    """Run a job that has one rendition."""
    (rendition,) = (await transcode(content, job)).values()
    return rendition


def _validate(rendition: Received, faults: Faults) -> None:
    """Check that the segments are in order and contiguous, and last as long as a playlist will say."""
    name, init = rendition.started.rendition, read_init(rendition.started.init, rendition.started.rendition, faults)
    if init is None:
        return
    expected_start = None
    for before, after in pairwise(rendition.segments):
        assert after.number == before.number + 1
        assert after.start_us == before.start_us + before.duration_us
    for segment in rendition.segments:
        where = f"segment {segment.number} of {name}"
        fragment = read_fragment(segment.data, init, where, faults)
        if fragment is None:
            continue
        reported, measured = segment.duration_us / 1_000_000, fragment.duration / init.timescale
        if abs(measured - reported) > ALLOWED_DRIFT:
            faults.append(f"{where} lasts {measured} s, not {reported} s")
        if expected_start not in (None, fragment.decode_start):
            faults.append(f"{where} does not start where the previous one ends")
        expected_start = fragment.decode_start + fragment.duration


def video_frames(content: bytes) -> list[tuple[float, VideoFrame]]:
    """Decode the video; return the frames with their times in seconds."""
    with av.open(io.BytesIO(content), "r") as container:
        return [(_time(frame), frame) for frame in container.decode(video=0)]


def times(content: bytes) -> list[float]:
    """Return the times of the video frames in seconds."""
    return [at for at, _ in video_frames(content)]


def audio_frames(content: bytes) -> list[tuple[float, AudioFrame]]:
    """Decode the audio; return the frames with their times in seconds."""
    with av.open(io.BytesIO(content), "r") as container:
        return [(_time(frame), frame) for frame in container.decode(audio=0)]


def packets(content: bytes) -> list[tuple[float, float, bool]]:
    """Return each packet's decode and presentation time in seconds, and whether it is a keyframe."""
    with av.open(io.BytesIO(content), "r") as container:
        unit = container.streams[0].time_base or Fraction(1)
        return [
            (float(packet.dts * unit), float(packet.pts * unit), packet.is_keyframe)
            for packet in container.demux()
            if packet.dts is not None and packet.pts is not None
        ]


def flash(content: bytes) -> float:
    """Return the time at which the video turns white."""
    for at, frame in video_frames(content):
        luma = bytes(frame.planes[0])
        if sum(luma) > 128 * len(luma):
            return at
    raise AssertionError("no frame is white")


def beep(content: bytes) -> float:
    """Return the time at which the audio is no longer silent."""
    for at, frame in audio_frames(content):
        samples = memoryview(bytes(frame.planes[0])).cast("f")
        for index, sample in enumerate(samples):
            if abs(sample) > 0.05:
                return at + index / frame.sample_rate
    raise AssertionError("the audio is silent")


def lengths(segments: Iterable[Segment]) -> list[float]:
    """Return the durations of segments in seconds."""
    return [segment.duration_us / 1_000_000 for segment in segments]


def _time(frame: VideoFrame | AudioFrame) -> float:
    assert frame.pts is not None
    assert frame.time_base
    return float(frame.pts * frame.time_base)
