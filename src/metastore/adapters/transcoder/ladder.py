"""The rungs of a ladder, all made by one decoding."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from fractions import Fraction

import av
from av.codec import CodecContext
from av.codec.context import Flags
from av.packet import Packet
from av.stream import Stream
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType, VideoFrame
from av.video.stream import VideoStream

from metastore.adapters.sandbox.refusal import RefusedError
from metastore.adapters.sandbox.wire import Emit
from metastore.adapters.transcoder import codecs
from metastore.adapters.transcoder.cuts import Cuts
from metastore.adapters.transcoder.drawing import Drawing, kind_of
from metastore.adapters.transcoder.film import DAMAGED, Film
from metastore.adapters.transcoder.fragments import Picture, Sample
from metastore.adapters.transcoder.frame_times import FrameTimes
from metastore.adapters.transcoder.renditions import Rendition
from metastore.adapters.transcoder.times import Clock
from metastore.ports.transcoder import MAX_COPIED_SEGMENT_US, VideoRendition

_MAX_PIXELS = 70_000_000
_LONGEST_STILL_US = 400_000
"""A frame that is seen for longer is shown again at a cut."""
_EARLIER_SECONDS = (2, 20, 200)
_DECODING_THREADS = 2
_ENCODING_THREADS = 2
_USUAL_RATE = Fraction(30)
_X264 = "annexb=0:scenecut=0:keyint=infinite:min-keyint=1:open-gop=0"


class Rung:
    """One of them: frames in, segments out."""

    def __init__(
        self, clock: Clock, wanted: VideoRendition, rate: Fraction, target: int, first: int, emit: Emit
    ) -> None:
        self._clock = clock
        self._encoder = _x264(clock, wanted, rate)
        self._rendition = Rendition(wanted.name, clock, emit, first)
        self._samples: list[Sample] = []
        record = self._encoder.extradata or b""
        track = Picture(clock.timescale, record, wanted.width, wanted.height)
        picture = {"width": wanted.width, "height": wanted.height, "frame_rate": float(rate)}
        self._rendition.start(track, codecs.picture_name(record), target, **picture)

    def add(self, frame: VideoFrame, *, begins: bool) -> None:
        """The next frame, whose time is in the clock's ticks."""
        frame.time_base = self._encoder.time_base
        frame.pict_type = PictureType.I if begins else PictureType.NONE
        self._take(self._encoder.encode(frame))

    def finish(self, ends: int) -> None:
        """There are no more; the last is shown until then."""
        self._take(self._encoder.encode(None))
        if self._samples:
            last = max(sample.shown for sample in self._samples)
            self._flush(self._samples[-1].decoded + max(1, ends - last), ends)
        self._rendition.end()

    def _take(self, packets: "list[Packet[Stream]]") -> None:
        for packet in packets:
            if packet.pts is None or packet.dts is None:
                continue
            if packet.is_keyframe and self._samples:
                self._flush(packet.dts, packet.pts)
            self._samples.append(Sample(bytes(packet), packet.dts, packet.pts, packet.is_keyframe))

    def _flush(self, decoded_until: int, ends: int) -> None:
        self._rendition.add(self._samples, decoded_until, self._samples[0].shown, ends)
        self._samples = []


class Ladder:
    """Takes a stream's packets, and makes them segments of all rungs, cut alike."""

    def __init__(
        self,
        film: Film,
        stream: VideoStream,
        wanted: Sequence[VideoRendition],
        cuts: Sequence[int],
        first: int,
        emit: Emit,
    ) -> None:
        self.stream = stream
        context = stream.codec_context
        if context.width * context.height > _MAX_PIXELS:
            raise RefusedError("The film's pictures are too large.")
        context.thread_type, context.thread_count = "AUTO", _DECODING_THREADS
        rate = _rate_of(stream)
        self._clock = clock = film.clock(stream)
        self._times = FrameTimes(clock, rate)
        self._cuts = Cuts(cuts, clock)
        self._first = self._next = first
        self._longest_still = clock.ticks_of_us(_LONGEST_STILL_US)
        self._begins: set[int] = set()
        """When the first frames of segments are shown."""
        # From large to small: each is drawn from the one before.
        self._wanted = sorted(wanted, key=lambda rung: -rung.width * rung.height)
        longest_us = self._cuts.longest_us(film.duration_us, MAX_COPIED_SEGMENT_US) + _LONGEST_STILL_US
        target = (longest_us + 500_000) // 1_000_000
        self._rungs = [Rung(clock, one, rate, target, first, emit) for one in self._wanted]
        self._drawing: Drawing | None = None
        self._kind: tuple[int | str, ...] = ()
        self._is_interlaced = False
        self._last: VideoFrame | None = None

    @property
    def is_complete(self) -> bool:
        """Whether all was made before."""
        return self._cuts.at(self._first) is None

    def seek(self, film: Film) -> None:
        """Go to where the first segment begins, or not far before."""
        cut = self._cuts.at(self._first)
        if not cut or self.stream.start_time is None:
            return
        for earlier in _EARLIER_SECONDS:
            if not film.seek(self.stream, self._clock.us(cut) - earlier * 1_000_000):
                continue
            first = next(self._decoded(film), None)
            if first is not None and first.pts is not None and self._clock.ticks(first.pts) <= cut:
                film.seek(self.stream, self._clock.us(cut) - earlier * 1_000_000)
                return
        film.seek(self.stream, 0)

    def take(self, packet: "Packet[Stream]") -> None:
        """The next; one that cannot be decoded is passed over."""
        try:
            frames = packet.decode()
        except av.FFmpegError:
            return
        for frame in frames:
            if isinstance(frame, VideoFrame):
                self._add(frame)

    def finish(self) -> None:
        """There are no more."""
        with suppress(av.FFmpegError):
            for frame in self.stream.codec_context.decode(None):
                self._add(frame)
        if self._last is None and not self._first:
            raise RefusedError(DAMAGED)
        ends = self._times.end
        while self._last is not None and (cut := self._cuts.at(self._next)) is not None and cut < ends:
            self._next += 1
            self._begins.add(cut)
            self._draw(self._last, cut)
        self._draw_the_rest()
        for rung in self._rungs:
            rung.finish(ends)

    def _decoded(self, film: Film) -> Iterator[VideoFrame]:
        for packet in film.packets([self.stream]):
            with suppress(av.FFmpegError):
                yield from (frame for frame in packet.decode() if isinstance(frame, VideoFrame))

    def _add(self, frame: VideoFrame) -> None:
        at = self._times.of(frame)
        if at is None:
            return
        while (cut := self._cuts.at(self._next)) is not None and cut <= at:
            following = self._cuts.at(self._next + 1)
            self._next += 1
            self._begins.add(cut)
            if at - cut <= self._longest_still and (following is None or following > at):
                self._begins.add(at)
                break
            self._draw(self._last or frame, cut)
        self._last = frame
        if self._next > self._first:
            self._draw(frame, at)

    def _draw(self, frame: VideoFrame, at: int) -> None:
        self._is_interlaced |= frame.interlaced_frame
        kind = (*kind_of(frame), self._is_interlaced)
        if self._drawing is None or kind != self._kind:
            self._draw_the_rest()
            self._drawing = Drawing(frame, self._clock.timescale, self._wanted, interlaced=self._is_interlaced)
            self._kind = kind
        frame.pts, frame.time_base = at, Fraction(1, self._clock.timescale)
        self._encode(self._drawing.draw(frame))

    def _draw_the_rest(self) -> None:
        if self._drawing is not None:
            self._encode(self._drawing.rest())
        self._drawing = None

    def _encode(self, drawn: list[list[VideoFrame]]) -> None:
        for rung, frames in zip(self._rungs, drawn, strict=True):
            for frame in frames:
                rung.add(frame, begins=frame.pts in self._begins)


def _rate_of(stream: VideoStream) -> Fraction:
    rate = stream.average_rate or stream.guessed_rate or _USUAL_RATE
    return min(max(Fraction(rate), Fraction(1)), Fraction(240)).limit_denominator(1001)


def _x264(clock: Clock, wanted: VideoRendition, rate: Fraction) -> VideoCodecContext:
    encoder = CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = wanted.width, wanted.height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, clock.timescale), rate
    encoder.flags |= Flags.global_header | Flags.closed_gop
    encoder.thread_count = _ENCODING_THREADS
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
