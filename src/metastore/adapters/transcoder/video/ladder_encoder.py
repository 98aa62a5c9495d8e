"""Encode all rungs of the ladder from one decoding of the video."""

import os
from collections.abc import Sequence
from fractions import Fraction

from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from metastore.adapters.sandbox.errors import RefusedError
from metastore.adapters.sandbox.orientation import Orientation
from metastore.adapters.sandbox.protocol import Emit
from metastore.adapters.transcoder.demuxer import Demuxer, decode, flush_decoder
from metastore.adapters.transcoder.mp4.rendition_writer import RenditionWriter
from metastore.adapters.transcoder.timeline import LATE_US
from metastore.adapters.transcoder.video import colour_mapping
from metastore.adapters.transcoder.video.filter_graph import FilterGraph, frame_format
from metastore.adapters.transcoder.video.presentation_times import PresentationTimes
from metastore.adapters.transcoder.video.rung_encoder import RungEncoder, VideoFormat
from metastore.adapters.transcoder.video.segment_boundaries import SegmentBoundaries, SegmentRange
from metastore.kit.problems.reason_codes import ReasonCode
from metastore.ports.transcoder import MAX_COPIED_SEGMENT_US, VideoRendition

LARGE, _MAX_PIXELS = 4096 * 2304, 70_000_000
"""Above ``LARGE`` (4K), every decoder thread keeps a frame of up to 130 MB. Above the maximum, video is refused."""
_MAX_STILL_US = 400_000
"""A frame that is shown for longer is repeated at a segment boundary."""
_SEEK_MARGINS = (2, 20, 200)
_DECODER_THREADS = max(2, min(6, (os.cpu_count() or 1) + 1))
_DEFAULT_RATE = Fraction(30)


class LadderEncoder:
    """Decodes a stream's packets and encodes all rungs with the same segment boundaries."""

    def __init__(
        self,
        demuxer: Demuxer,
        stream: VideoStream,
        rungs: Sequence[VideoRendition],
        segments: SegmentRange,
        emit: Emit,
    ) -> None:
        self.stream = stream
        context = stream.codec_context
        pixels = context.width * context.height
        if pixels > _MAX_PIXELS:
            raise RefusedError(ReasonCode.FILM_FRAME_TOO_LARGE)
        threads = _DECODER_THREADS if pixels <= LARGE else min(2, _DECODER_THREADS)
        context.thread_type, context.thread_count = "AUTO", threads
        rate = _frame_rate(stream)
        self._timeline = timeline = demuxer.timeline(stream)
        self._times = PresentationTimes(timeline, rate)
        self._boundaries = SegmentBoundaries(segments.cuts_us, timeline)
        self._first = self._next = segments.first
        self._until = segments.until
        self.is_stopped = False
        """Whether all segments before ``until`` are made, so that no more packets are needed."""
        self._late, self._max_still = timeline.ticks_of_us(LATE_US), timeline.ticks_of_us(_MAX_STILL_US)
        self._starts: set[int] = set()
        """The ticks of frames that start a segment."""
        # From large to small: each rung is scaled from the one before.
        self._rungs = sorted(rungs, key=lambda rung: -rung.width * rung.height)
        max_us = self._boundaries.max_duration_us(demuxer.duration_us, MAX_COPIED_SEGMENT_US) + _MAX_STILL_US
        target = (max_us + 500_000) // 1_000_000
        video = VideoFormat(rate, colour_mapping.output_colours(context))
        self._encoders = [
            RungEncoder(
                rung, timeline.timescale, video, RenditionWriter(rung.name, timeline, emit, self._first), target
            )
            for rung in self._rungs
        ]
        self._filters: FilterGraph | None = None
        self._format: tuple[int | float | str | Orientation, ...] = ()
        self._is_interlaced = False
        self._last: VideoFrame | None = None

    @property
    def is_complete(self) -> bool:
        """Whether all segments were created by earlier jobs."""
        return self._boundaries.start(self._first) is None

    def seek(self, demuxer: Demuxer) -> None:
        """Seek to a keyframe shortly before the first segment."""
        start = self._boundaries.start(self._first)
        if not start or self.stream.start_time is None:
            return
        for margin in _SEEK_MARGINS:
            if not demuxer.seek(self.stream, self._timeline.us(start) - margin * 1_000_000):
                continue
            first = next((frame.pts for packet in demuxer.packets([self.stream]) for frame in decode(packet)), None)
            if first is not None and self._timeline.ticks(first) <= start:
                demuxer.seek(self.stream, self._timeline.us(start) - margin * 1_000_000)
                return
        demuxer.seek(self.stream, 0)

    def take(self, packet: "Packet[Stream]") -> None:
        """Process the next packet; an undecodable one is skipped."""
        for frame in () if self.is_stopped else decode(packet):
            if isinstance(frame, VideoFrame):
                self._add(frame)

    def finish(self) -> None:
        """Process everything that is delayed, and complete the renditions."""
        for frame in () if self.is_stopped else flush_decoder(self.stream):
            if isinstance(frame, VideoFrame):
                self._add(frame)
        if self.is_stopped:
            return
        if self._last is None and not self._first:
            raise RefusedError(ReasonCode.FILM_UNREADABLE)
        end = self._times.end
        while self._last is not None and (start := self._boundaries.start(self._next)) is not None and start < end:
            if self._next == self._until:
                self._stop(start)
                return
            self._next += 1
            self._starts.add(start)
            self._filter(self._last, start)
        self._close(end)

    def _add(self, frame: VideoFrame) -> None:
        time = None if self.is_stopped else self._times.assign(frame)
        if time is None:
            return
        while (start := self._boundaries.start(self._next)) is not None and start <= time:
            following = self._boundaries.start(self._next + 1)
            tolerance = self._max_still if self._next else self._late
            starts_here = time - start <= tolerance and (following is None or following > time)
            if self._next == self._until:
                self._stop(time if starts_here else start)
                return
            self._next += 1
            self._starts.add(start)
            if starts_here:
                self._starts.add(time)
                break
            self._filter(self._last or frame, start)
        self._last = frame
        if self._next > self._first:
            self._filter(frame, time)

    def _stop(self, end: int) -> None:
        self.is_stopped = True
        self._close(end)

    def _close(self, end: int) -> None:
        self._flush_filters()
        for encoder in self._encoders:
            encoder.close()
        for encoder in self._encoders:
            encoder.finish(end, is_complete=not self.is_stopped)

    def _filter(self, frame: VideoFrame, time: int) -> None:
        self._is_interlaced |= frame.interlaced_frame
        new_format = (*frame_format(frame), self._is_interlaced)
        if self._filters is None or new_format != self._format:
            self._flush_filters()
            self._filters = FilterGraph(frame, self._timeline.timescale, self._rungs, interlaced=self._is_interlaced)
            self._format = new_format
        frame.pts, frame.time_base = time, Fraction(1, self._timeline.timescale)
        self._encode(self._filters.convert(frame))

    def _flush_filters(self) -> None:
        if self._filters is not None:
            self._encode(self._filters.flush())
        self._filters = None

    def _encode(self, converted: list[list[VideoFrame]]) -> None:
        for encoder, frames in zip(self._encoders, converted, strict=True):
            for frame in frames:
                encoder.add(frame, starts_segment=frame.pts in self._starts)


def _frame_rate(stream: VideoStream) -> Fraction:
    rate = stream.average_rate or stream.guessed_rate or _DEFAULT_RATE
    return min(max(Fraction(rate), Fraction(1)), Fraction(240)).limit_denominator(1001)
