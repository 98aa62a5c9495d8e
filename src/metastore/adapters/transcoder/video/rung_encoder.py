"""Encode one rung of the ladder as H.264."""

import os
from dataclasses import dataclass
from fractions import Fraction

from av.codec import CodecContext
from av.codec.context import Flags
from av.packet import Packet
from av.stream import Stream
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType, VideoFrame

from metastore.adapters.transcoder.mp4 import codec_parameters
from metastore.adapters.transcoder.mp4.muxer import Sample, VideoTrack
from metastore.adapters.transcoder.mp4.rendition_writer import RenditionWriter
from metastore.adapters.transcoder.video.colour_mapping import Colours
from metastore.adapters.transcoder.video.decode_timestamps import DecodeTimestamps
from metastore.adapters.transcoder.video.encoder_thread import EncoderThread
from metastore.ports.transcoder import VideoRendition

_THREADS = max(2, min(8, (os.cpu_count() or 1) * 3 // 2))
_LIMITED_RANGE = 1
_X264 = "annexb=0:scenecut=0:keyint=infinite:min-keyint=1:open-gop=0"


@dataclass(frozen=True, slots=True)
class VideoFormat:
    """The format that all rungs share: average frame rate and colours."""

    rate: Fraction
    colours: Colours


class RungEncoder:
    """Encodes frames and writes them as segments of a rendition."""

    def __init__(
        self, rung: VideoRendition, timescale: int, video: VideoFormat, writer: RenditionWriter, target_seconds: int
    ) -> None:
        self._encoder = _x264(rung, timescale, video)
        self._thread = EncoderThread(self._encoder)
        self._writer = writer
        self._samples: list[Sample] = []
        self._decode_timestamps = DecodeTimestamps(self._encoder.reorder_depth, video.rate, timescale)
        record = self._encoder.extradata or b""
        track = VideoTrack(timescale, record, rung.width, rung.height)
        attributes = {"width": rung.width, "height": rung.height, "frame_rate": float(video.rate)}
        writer.start(track, codec_parameters.avc_name(record), target_seconds, **attributes)

    def add(self, frame: VideoFrame, *, starts_segment: bool) -> None:
        """Encode the next frame; its timestamp is in ticks."""
        frame.time_base = self._encoder.time_base
        frame.pict_type = PictureType.I if starts_segment else PictureType.NONE
        self._thread.add(frame)
        self._collect(self._thread.ready())

    def close(self) -> None:
        """Tell the encoder that no more frames follow."""
        self._thread.close()

    def finish(self, end: int, *, is_complete: bool) -> None:
        """Write the remaining segments, after ``close``; ``end`` is the tick until which the last frame is shown.

        Unless it ``is_complete``, another job continues the rendition.
        """
        self._collect(self._thread.join())
        if self._samples:
            self._write_segment(end)
        if is_complete:
            self._writer.end()

    def _collect(self, packets: "list[Packet[Stream]]") -> None:
        for packet in packets:
            if packet.pts is None:
                continue
            if packet.is_keyframe and self._samples:
                self._write_segment(packet.pts)
            self._samples.append(Sample(bytes(packet), packet.pts, packet.pts, packet.is_keyframe))

    def _write_segment(self, end: int) -> None:
        self._writer.add(*self._decode_timestamps.assign(self._samples, end), self._samples[0].shown, end)
        self._samples = []


def _x264(rung: VideoRendition, timescale: int, video: VideoFormat) -> VideoCodecContext:
    encoder = CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = rung.width, rung.height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, timescale), video.rate
    encoder.colorspace, encoder.color_primaries = video.colours.matrix, video.colours.primaries
    encoder.color_trc, encoder.color_range = video.colours.transfer, _LIMITED_RANGE
    encoder.flags |= Flags.global_header | Flags.closed_gop
    encoder.thread_count = _THREADS
    encoder.options = {
        "preset": "veryfast",
        "profile": "high",
        "crf": "23",
        "maxrate": str(rung.bitrate),
        "bufsize": str(rung.bitrate * 2),
        "forced-idr": "1",
        "x264-params": _X264,
    }
    encoder.open()
    return encoder
