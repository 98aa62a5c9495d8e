"""One rung of the ladder: H.264 of one size."""

import os
from dataclasses import dataclass
from fractions import Fraction

from av.codec import CodecContext
from av.codec.context import Flags
from av.packet import Packet
from av.stream import Stream
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType, VideoFrame

from metastore.adapters.transcoder import codecs
from metastore.adapters.transcoder.colours import Colours
from metastore.adapters.transcoder.decode_times import DecodeTimes
from metastore.adapters.transcoder.encoding import Encoding
from metastore.adapters.transcoder.fragments import Picture, Sample
from metastore.adapters.transcoder.renditions import Rendition
from metastore.ports.transcoder import VideoRendition

_THREADS = max(2, min(8, (os.cpu_count() or 1) * 3 // 2))
_LIMITED_RANGE = 1
_X264 = "annexb=0:scenecut=0:keyint=infinite:min-keyint=1:open-gop=0"


@dataclass(frozen=True, slots=True)
class Look:
    """What all rungs have of the source: frames a second, on the average, and colours."""

    rate: Fraction
    colours: Colours


class Rung:
    """Frames in, segments of its rendition out."""

    def __init__(self, wanted: VideoRendition, timescale: int, look: Look, rendition: Rendition, target: int) -> None:
        self._encoder = _x264(wanted, timescale, look)
        self._encoding = Encoding(self._encoder)
        self._rendition = rendition
        self._samples: list[Sample] = []
        self._decode_times = DecodeTimes(self._encoder.reorder_depth, look.rate, timescale)
        record = self._encoder.extradata or b""
        track = Picture(timescale, record, wanted.width, wanted.height)
        picture = {"width": wanted.width, "height": wanted.height, "frame_rate": float(look.rate)}
        rendition.start(track, codecs.picture_name(record), target, **picture)

    def add(self, frame: VideoFrame, *, begins: bool) -> None:
        """The next frame, whose time is in the clock's ticks."""
        frame.time_base = self._encoder.time_base
        frame.pict_type = PictureType.I if begins else PictureType.NONE
        self._encoding.add(frame)
        self._take(self._encoding.done())

    def close(self) -> None:
        """There are no more to add."""
        self._encoding.close()

    def finish(self, ends: int) -> None:
        """Hand on what is left; the last frame is shown until then."""
        self._take(self._encoding.rest())
        if self._samples:
            self._flush(ends)
        self._rendition.end()

    def _take(self, packets: "list[Packet[Stream]]") -> None:
        for packet in packets:
            if packet.pts is None:
                continue
            if packet.is_keyframe and self._samples:
                self._flush(packet.pts)
            self._samples.append(Sample(bytes(packet), packet.pts, packet.pts, packet.is_keyframe))

    def _flush(self, ends: int) -> None:
        self._rendition.add(*self._decode_times.of(self._samples, ends), self._samples[0].shown, ends)
        self._samples = []


def _x264(wanted: VideoRendition, timescale: int, look: Look) -> VideoCodecContext:
    encoder = CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = wanted.width, wanted.height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, timescale), look.rate
    encoder.colorspace, encoder.color_primaries = look.colours.matrix, look.colours.primaries
    encoder.color_trc, encoder.color_range = look.colours.transfer, _LIMITED_RANGE
    encoder.flags |= Flags.global_header | Flags.closed_gop
    encoder.thread_count = _THREADS
    encoder.options = {
        "preset": "veryfast",
        "profile": "high",
        "crf": "23",
        "maxrate": str(wanted.bitrate),
        "bufsize": str(wanted.bitrate * 2),
        "forced-idr": "1",
        "x264-params": _X264,
    }
    encoder.open()
    return encoder
