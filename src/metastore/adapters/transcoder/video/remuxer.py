"""Copy H.264 video into segments without encoding it, cut at keyframes."""

from fractions import Fraction
from math import floor

from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from metastore.adapters.sandbox.errors import NotCopyableError
from metastore.adapters.sandbox.protocol import Emit
from metastore.adapters.transcoder.demuxer import Demuxer
from metastore.adapters.transcoder.mp4 import codec_parameters
from metastore.adapters.transcoder.mp4.muxer import Sample, VideoTrack
from metastore.adapters.transcoder.mp4.rendition_writer import RenditionWriter
from metastore.adapters.transcoder.timeline import LATE_US
from metastore.adapters.transcoder.video.decode_timestamps import DecodeTimestamps
from metastore.kit.problems.reason_codes import ReasonCode
from metastore.ports.transcoder import MAX_COPIED_SEGMENT_US, SEGMENT_US

_MAX_BYTES = 64 * 2**20
_LARGE = 24 * 2**20
"""A segment of this size ends at the next keyframe, however short it is."""
_INDEX_TOLERANCE = Fraction(2, 10)
"""Seconds by which the times of an index, which are decode times, may differ from presentation times."""


class VideoRemuxer:
    """Collects a stream's packets and writes them as segments of a rendition.

    Raises:
        NotCopyableError: The stream cannot be copied; may also be raised by ``take`` and ``finish``.
    """

    def __init__(self, demuxer: Demuxer, stream: VideoStream, name: str, emit: Emit) -> None:
        self.stream = stream
        context = stream.codec_context
        self._record = context.extradata or b""
        if context.name != "h264" or not codec_parameters.is_avc_configuration(self._record):
            raise NotCopyableError(ReasonCode.FILM_NOT_COPYABLE)
        self._timeline = timeline = demuxer.timeline(stream)
        self._min_length = timeline.ticks_of_us(SEGMENT_US)
        self._max_length = timeline.ticks_of_us(MAX_COPIED_SEGMENT_US)
        self._writer = RenditionWriter(name, timeline, emit)
        self._samples: list[Sample] = []
        self._bytes = 0
        self._keyframes: list[int] = []
        """Indexes of the samples that a segment could start with."""
        self._end = 0
        self._late = timeline.ticks_of_us(LATE_US)
        rate = stream.average_rate or Fraction(30)
        self._decode_timestamps = DecodeTimestamps(context.reorder_depth, rate, timeline.timescale)
        self._target = target = _target_seconds(demuxer, stream)
        self._segment_start = 0
        """Where the next segment starts according to the playlist."""
        aspect_ratio = stream.sample_aspect_ratio or 1
        size = context.width, context.height
        track = VideoTrack(timeline.timescale, self._record, *size, aspect_ratio.numerator, aspect_ratio.denominator)
        self._writer.start(
            track,
            codec_parameters.avc_name(self._record),
            target,
            width=round(context.width * aspect_ratio),
            height=context.height,
            frame_rate=float(stream.average_rate) if stream.average_rate else None,
        )

    def take(self, packet: "Packet[Stream]") -> None:
        """Process the next packet."""
        if packet.pts is None or packet.is_discard or packet.has_sidedata("new_extradata"):
            raise NotCopyableError(ReasonCode.FILM_NOT_COPYABLE)
        data = bytes(packet)
        shown = self._timeline.ticks(packet.pts)
        decoded = self._decode_time(packet, shown)
        is_key = packet.is_keyframe and codec_parameters.has_idr_unit(self._record, data)
        if is_key:
            self._cut_if_due(shown)
            self._keyframes.append(len(self._samples))
        elif not self._samples:
            if self._end:
                raise NotCopyableError(ReasonCode.FILM_NOT_COPYABLE)
            return  # Frames before the first keyframe cannot be decoded.
        if not self._samples and not self._end and shown > self._late:
            # The first frame of a late stream is shown from the start until the second one.
            shown = 0
        self._samples.append(Sample(data, decoded, shown, is_key))
        self._bytes += len(data)
        self._end = max(self._end, shown + self._timeline.length(packet.duration or 0))
        if self._bytes > _MAX_BYTES or self._end - self._samples[self._keyframes[-1]].shown > self._max_length:
            raise NotCopyableError(ReasonCode.FILM_NOT_COPYABLE)

    def finish(self) -> None:
        """Write the last segment and complete the rendition."""
        if not self._samples:
            raise NotCopyableError(ReasonCode.FILM_NOT_COPYABLE)
        self._cut_if_due(self._end, force=True)
        self._writer.end()

    def _decode_time(self, packet: "Packet[Stream]", shown: int) -> int:
        decoded = shown if packet.dts is None else self._timeline.ticks(packet.dts)
        if not self._samples:
            return decoded
        previous = self._samples[-1].decoded
        if decoded <= previous - self._min_length:
            raise NotCopyableError(ReasonCode.FILM_NOT_COPYABLE)
        return decoded

    def _cut_if_due(self, shown: int, *, force: bool = False) -> None:
        """End the segment before a keyframe if it is long enough."""
        if not self._samples:
            return
        start = self._samples[0].shown
        if shown - start > self._max_length and len(self._keyframes) > 1:
            # The segment would become too long: cut at the previous keyframe.
            last = self._keyframes[-1]
            self._write_segment(last, self._samples[last].shown)
            start = self._samples[0].shown
        if force or shown - start >= self._min_length or self._bytes > _LARGE:
            self._write_segment(len(self._samples), shown)

    def _write_segment(self, count: int, end: int) -> None:
        samples = self._samples[:count]
        start = samples[0].shown
        # The index may list keyframes that are not IDR frames, so that segments become longer than announced.
        playlist_duration_us = self._timeline.us(end - self._segment_start)
        if end - start > self._max_length or playlist_duration_us >= (2 * self._target + 1) * 500_000:
            raise NotCopyableError(ReasonCode.FILM_NOT_COPYABLE)
        self._segment_start = end
        self._writer.add(*self._decode_timestamps.assign(samples, end), start, end)
        self._samples = self._samples[count:]
        self._bytes = sum(len(sample.data) for sample in self._samples)
        self._keyframes = [0] if self._samples else []


def _target_seconds(demuxer: Demuxer, stream: VideoStream) -> int:
    """Return the target duration: computed from the index if that is complete, else the maximum."""
    maximum = MAX_COPIED_SEGMENT_US // 1_000_000
    time_base = stream.time_base
    entries = stream.index_entries
    if not time_base or not len(entries) or not demuxer.duration_us:
        return maximum
    keyframes = [entry.timestamp for entry in entries if entry.is_keyframe]
    end = (stream.start_time or 0) + (stream.duration or 0)
    if not keyframes or not stream.duration or (end - entries[len(entries) - 1].timestamp) * time_base > 1:
        return maximum
    source_start = floor(Fraction(demuxer.start_us, 1_000_000) / time_base)
    is_late = (keyframes[0] - source_start) * time_base * 1_000_000 > LATE_US
    start = source_start if is_late else keyframes[0]
    longest, previous = 0, start
    for keyframe in [*keyframes[1:], end]:
        if (keyframe - start) * time_base * 1_000_000 > MAX_COPIED_SEGMENT_US and previous > start:
            longest, start = max(longest, previous - start), previous
        if (keyframe - start) * time_base * 1_000_000 >= SEGMENT_US or keyframe == end:
            longest, start = max(longest, keyframe - start), keyframe
        previous = keyframe
    if longest * time_base * 1_000_000 > MAX_COPIED_SEGMENT_US:
        raise NotCopyableError(ReasonCode.FILM_NOT_COPYABLE)
    return max(1, min(maximum, floor(longest * time_base + _INDEX_TOLERANCE + Fraction(1, 2))))
