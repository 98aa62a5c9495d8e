"""Draws each decoded frame in the sizes of all rungs: upright, progressive, in square pixels, 8 bits, SDR."""

import os
from collections.abc import Sequence

import av
from av.filter import Graph
from av.filter.context import FilterContext
from av.video.frame import VideoFrame

from metastore.adapters.sandbox.turning import AS_IT_IS, Turn, turn_of
from metastore.adapters.transcoder import colours
from metastore.ports.transcoder import VideoRendition

_MAPPING_THREADS = 4
_THREADS = min(4, os.cpu_count() or 1)
_SIDES_EXCHANGED = {
    (False, False): "cclock_flip",
    (True, False): "clock",
    (False, True): "cclock",
    (True, True): "clock_flip",
}
"""As the filter ``transpose`` calls it, by what is mirrored and upside down after it."""


class Drawing:
    """Of frames of one size and kind; made anew when these change."""

    def __init__(self, like: VideoFrame, timescale: int, rungs: Sequence[VideoRendition], *, interlaced: bool) -> None:
        self._timescale = timescale
        self._graph = graph = Graph()
        # Working out how tones are mapped takes seconds, but can be shared.
        graph.threads = _MAPPING_THREADS if colours.is_beyond_sdr(like) else _THREADS
        self._source = graph.add(
            "buffer",
            video_size=f"{like.width}x{like.height}",
            pix_fmt=like.format.name,
            time_base=f"1/{timescale}",
            pixel_aspect="1/1",
            colorspace=str(like.colorspace),
            range=str(like.color_range),
        )
        last = self._source
        if interlaced:
            last = self._then(last, "bwdif", "mode=send_frame:deint=interlaced")
        self._sinks = []
        turn = turn_of(like)
        for place, rung in enumerate(rungs):
            width, height = (turn if place == 0 else AS_IT_IS).size(rung.width, rung.height)
            last = self._then(last, "scale", f"{width}:{height}:flags=bicubic")
            if place == 0:
                # What is costly is done once, and to as few pixels as can be.
                if mapping := colours.mapping(like):
                    last = self._then(last, "scale", mapping)
                last = self._then(last, "format", "yuv420p")
                last = self._turn(last, turn)
            last = self._then(last, "setsar", "1")
            sink = graph.add("buffersink")
            if place < len(rungs) - 1:
                parted = graph.add("split", "2")
                last.link_to(parted)
                parted.link_to(sink, 1)
                last = parted
            else:
                last.link_to(sink)
            self._sinks.append(sink)
        graph.configure()

    def draw(self, frame: VideoFrame) -> list[list[VideoFrame]]:
        """What comes of a frame, for each rung; a frame may be held back until the next."""
        self._source.push(frame)
        return [self._pulled(sink) for sink in self._sinks]

    def rest(self) -> list[list[VideoFrame]]:
        """What was held back."""
        self._source.push(None)
        return [self._pulled(sink) for sink in self._sinks]

    def _pulled(self, sink: FilterContext) -> list[VideoFrame]:
        frames: list[VideoFrame] = []
        while True:
            try:
                frame = sink.pull()
            except (BlockingIOError, av.EOFError):
                return frames
            if isinstance(frame, VideoFrame) and frame.pts is not None and frame.time_base:
                # Some filters count in finer units.
                frame.pts = round(frame.pts * frame.time_base * self._timescale)
                frames.append(frame)

    def _then(self, last: FilterContext, name: str, arguments: str) -> FilterContext:
        added = self._graph.add(name, arguments or None)
        last.link_to(added)
        return added

    def _turn(self, last: FilterContext, turn: Turn) -> FilterContext:
        if turn.sideways:
            return self._then(last, "transpose", _SIDES_EXCHANGED[turn.mirrored, turn.upside_down])
        if turn.mirrored:
            last = self._then(last, "hflip", "")
        if turn.upside_down:
            last = self._then(last, "vflip", "")
        return last


def kind_of(frame: VideoFrame) -> tuple[int | str | Turn, ...]:
    """Frames of one kind can be drawn alike."""
    return (
        frame.width,
        frame.height,
        frame.format.name,
        frame.colorspace,
        frame.color_range,
        frame.color_trc,
        frame.color_primaries,
        turn_of(frame),
    )
