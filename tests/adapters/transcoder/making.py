"""Has jobs done, and looks into what came of them with another's eyes."""

import io
from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise

import av
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame

from metastore.adapters.transcoder.transcoder import SandboxTranscoder
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
SOUND = Job(audio=[AudioRendition("sound", 0, copy=False)])
SOUND_AS_IT_IS = Job(audio=[AudioRendition("sound", 0, copy=True)])


@dataclass
class Rendition:
    """All that was told of one."""

    started: Started
    segments: list[Segment] = field(default_factory=list)
    has_ended: bool = False

    def file(self) -> bytes:
        """As a player has it in the end."""
        return b"".join([self.started.init, *(segment.data for segment in self.segments)])

    def alone(self, number: int) -> bytes:
        """What is needed for one segment."""
        return self.started.init + self.segments[number].data


def source(content: bytes, mime_type: str = "video/mp4") -> Source:
    """Bytes at hand."""

    async def read(offset: int, length: int) -> AsyncIterator[bytes]:
        yield content[offset : offset + length]

    return Source(read, len(content), mime_type)


async def made_of(content: bytes, job: Job, transcoder: SandboxTranscoder | None = None) -> dict[str, Rendition]:
    """Each rendition by its name; in the order that the port promises."""
    renditions: dict[str, Rendition] = {}
    work = (transcoder or SandboxTranscoder()).make(source(content), job)
    async with aclosing(work):
        async for output in work:
            if isinstance(output, Started):
                assert output.rendition not in renditions
                renditions[output.rendition] = Rendition(output)
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
        _judge(rendition, faults)
    assert [] == faults
    return renditions


async def one_of(content: bytes, job: Job) -> Rendition:
    """The only one that the job wants."""
    (rendition,) = (await made_of(content, job)).values()
    return rendition


def _judge(rendition: Rendition, faults: Faults) -> None:
    """Whether the segments are in order, join, and are as long as a playlist will say."""
    name, init = rendition.started.rendition, read_init(rendition.started.init, rendition.started.rendition, faults)
    if init is None:
        return
    joins = None
    for before, after in pairwise(rendition.segments):
        assert after.number == before.number + 1
        assert after.start_us == before.start_us + before.duration_us
    for segment in rendition.segments:
        where = f"segment {segment.number} of {name}"
        fragment = read_fragment(segment.data, init, where, faults)
        if fragment is None:
            continue
        said, found = segment.duration_us / 1_000_000, fragment.duration / init.timescale
        if abs(found - said) > ALLOWED_DRIFT:
            faults.append(f"{where} lasts {found} s, not {said} s")
        if joins not in (None, fragment.decode_start):
            faults.append(f"{where} does not begin where the one before it ends")
        joins = fragment.decode_start + fragment.duration


def pictures(content: bytes) -> list[tuple[float, VideoFrame]]:
    """Decoded, with their times."""
    with av.open(io.BytesIO(content), "r") as container:
        return [(_time(frame), frame) for frame in container.decode(video=0)]


def times(content: bytes) -> list[float]:
    """When pictures are shown."""
    return [at for at, _ in pictures(content)]


def sounds(content: bytes) -> list[tuple[float, AudioFrame]]:
    """Decoded, with their times."""
    with av.open(io.BytesIO(content), "r") as container:
        return [(_time(frame), frame) for frame in container.decode(audio=0)]


def packets(content: bytes) -> list[tuple[float, float, bool]]:
    """When they are decoded and shown, and whether they stand by themselves."""
    with av.open(io.BytesIO(content), "r") as container:
        unit = container.streams[0].time_base or Fraction(1)
        return [
            (float(packet.dts * unit), float(packet.pts * unit), packet.is_keyframe)
            for packet in container.demux()
            if packet.dts is not None and packet.pts is not None
        ]


def flash(content: bytes) -> float:
    """When the picture turns white."""
    for at, frame in pictures(content):
        luma = bytes(frame.planes[0])
        if sum(luma) > 128 * len(luma):
            return at
    raise AssertionError("it is black")


def beep(content: bytes) -> float:
    """When there is something to be heard."""
    for at, frame in sounds(content):
        samples = memoryview(bytes(frame.planes[0])).cast("f")
        for place, sample in enumerate(samples):
            if abs(sample) > 0.05:
                return at + place / frame.sample_rate
    raise AssertionError("it is silent")


def lengths(segments: Iterable[Segment]) -> list[float]:
    """In seconds."""
    return [segment.duration_us / 1_000_000 for segment in segments]


def _time(frame: VideoFrame | AudioFrame) -> float:
    assert frame.pts is not None
    assert frame.time_base
    return float(frame.pts * frame.time_base)
