"""The rungs of a ladder, all made by one decoding."""

import os
from collections.abc import Sequence
from fractions import Fraction

from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from metastore.adapters.sandbox.refusal import RefusedError
from metastore.adapters.sandbox.turning import Turn
from metastore.adapters.sandbox.wire import Emit
from metastore.adapters.transcoder import colours
from metastore.adapters.transcoder.cuts import LATE_US, Cuts
from metastore.adapters.transcoder.drawing import Drawing, kind_of
from metastore.adapters.transcoder.film import Film, decoded, rest_of
from metastore.adapters.transcoder.frame_times import FrameTimes
from metastore.adapters.transcoder.renditions import Rendition
from metastore.adapters.transcoder.rung import Look, Rung
from metastore.kit.reason_codes import ReasonCode
from metastore.ports.transcoder import MAX_COPIED_SEGMENT_US, VideoRendition

LARGE, _MAX_PIXELS = 4096 * 2304, 70_000_000
"""Of pictures that are larger than 4K each thread of a decoder keeps one of up to 130 MB."""
_LONGEST_STILL_US = 400_000
"""A frame that is seen for longer is shown again at a cut."""
_EARLIER_SECONDS = (2, 20, 200)
_DECODING_THREADS = max(2, min(6, (os.cpu_count() or 1) + 1))
_USUAL_RATE = Fraction(30)


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
        pixels = context.width * context.height
        if pixels > _MAX_PIXELS:
            raise RefusedError(ReasonCode.FILM_FRAME_TOO_LARGE)
        threads = _DECODING_THREADS if pixels <= LARGE else min(2, _DECODING_THREADS)
        context.thread_type, context.thread_count = "AUTO", threads
        rate = _rate_of(stream)
        self._clock = clock = film.clock(stream)
        self._times = FrameTimes(clock, rate)
        self._cuts = Cuts(cuts, clock)
        self._first = self._next = first
        self._late, self._longest_still = clock.ticks_of_us(LATE_US), clock.ticks_of_us(_LONGEST_STILL_US)
        self._begins: set[int] = set()
        """When the first frames of segments are shown."""
        # From large to small: each is drawn from the one before.
        self._wanted = sorted(wanted, key=lambda rung: -rung.width * rung.height)
        longest_us = self._cuts.longest_us(film.duration_us, MAX_COPIED_SEGMENT_US) + _LONGEST_STILL_US
        target = (longest_us + 500_000) // 1_000_000
        look = Look(rate, colours.made_of(context))
        self._rungs = [
            Rung(one, clock.timescale, look, Rendition(one.name, clock, emit, first), target) for one in self._wanted
        ]
        self._drawing: Drawing | None = None
        self._kind: tuple[int | str | Turn, ...] = ()
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
            first = next((frame.pts for packet in film.packets([self.stream]) for frame in decoded(packet)), None)
            if first is not None and self._clock.ticks(first) <= cut:
                film.seek(self.stream, self._clock.us(cut) - earlier * 1_000_000)
                return
        film.seek(self.stream, 0)

    def take(self, packet: "Packet[Stream]") -> None:
        """The next; one that cannot be decoded is passed over."""
        for frame in decoded(packet):
            if isinstance(frame, VideoFrame):
                self._add(frame)

    def finish(self) -> None:
        """There are no more."""
        for frame in rest_of(self.stream):
            if isinstance(frame, VideoFrame):
                self._add(frame)
        if self._last is None and not self._first:
            raise RefusedError(ReasonCode.FILM_UNREADABLE)
        ends = self._times.end
        while self._last is not None and (cut := self._cuts.at(self._next)) is not None and cut < ends:
            self._next += 1
            self._begins.add(cut)
            self._draw(self._last, cut)
        self._draw_the_rest()
        for rung in self._rungs:
            rung.close()
        for rung in self._rungs:
            rung.finish(ends)

    def _add(self, frame: VideoFrame) -> None:
        at = self._times.of(frame)
        if at is None:
            return
        while (cut := self._cuts.at(self._next)) is not None and cut <= at:
            following = self._cuts.at(self._next + 1)
            tolerated = self._longest_still if self._next else self._late
            self._next += 1
            self._begins.add(cut)
            if at - cut <= tolerated and (following is None or following > at):
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
