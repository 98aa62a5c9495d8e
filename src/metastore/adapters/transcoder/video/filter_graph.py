"""The filter graph that converts each decoded frame for all rungs.

Its output is upright, progressive, SDR, 8 bits and in square pixels.
"""

import os
from collections.abc import Sequence

import av
from av.filter import Graph
from av.filter.context import FilterContext
from av.video.frame import VideoFrame

from metastore.adapters.sandbox.orientation import UPRIGHT, Orientation, orientation_of
from metastore.adapters.transcoder.video import colour_mapping
from metastore.ports.transcoder import VideoRendition

_HDR_THREADS = 4
_THREADS = min(4, os.cpu_count() or 1)
_TRANSPOSE_DIRECTIONS = {
    (False, False): "cclock_flip",
    (True, False): "clock",
    (False, True): "cclock",
    (True, True): "clock_flip",
}
"""Directions of FFmpeg's ``transpose`` filter, by what is mirrored and upside down after transposing."""


class FilterGraph:
    """Converts frames of one size and format. When these change, a new graph is needed."""

    def __init__(self, like: VideoFrame, timescale: int, rungs: Sequence[VideoRendition], *, interlaced: bool) -> None:
        self._timescale = timescale
        self._graph = graph = Graph()
        # Computing the tables for tone mapping takes seconds, but can use several threads.
        graph.threads = _HDR_THREADS if colour_mapping.is_hdr(like) else _THREADS
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
            last = self._append(last, "bwdif", "mode=send_frame:deint=interlaced")
        self._sinks = []
        orientation = orientation_of(like)
        for index, rung in enumerate(rungs):
            width, height = (orientation if index == 0 else UPRIGHT).size(rung.width, rung.height)
            last = self._append(last, "scale", f"{width}:{height}:flags=bicubic")
            if index == 0:
                # Expensive filters run once, and after the first downscaling.
                if arguments := colour_mapping.scale_arguments(like):
                    last = self._append(last, "scale", arguments)
                last = self._append(last, "format", "yuv420p")
                last = self._append_rotation(last, orientation)
            last = self._append(last, "setsar", "1")
            sink = graph.add("buffersink")
            if index < len(rungs) - 1:
                split = graph.add("split", "2")
                last.link_to(split)
                split.link_to(sink, 1)
                last = split
            else:
                last.link_to(sink)
            self._sinks.append(sink)
        graph.configure()

    def convert(self, frame: VideoFrame) -> list[list[VideoFrame]]:
        """Convert a frame; return the frames that are ready for each rung, possibly with a delay."""
        self._source.push(frame)
        return [self._pull(sink) for sink in self._sinks]

    def flush(self) -> list[list[VideoFrame]]:
        """Return the delayed frames for each rung."""
        self._source.push(None)
        return [self._pull(sink) for sink in self._sinks]

    def _pull(self, sink: FilterContext) -> list[VideoFrame]:
        frames: list[VideoFrame] = []
        while True:
            try:
                frame = sink.pull()
            except (BlockingIOError, av.EOFError):
                return frames
            if isinstance(frame, VideoFrame) and frame.pts is not None and frame.time_base:
                # Some filters change the time base.
                frame.pts = round(frame.pts * frame.time_base * self._timescale)
                frames.append(frame)

    def _append(self, last: FilterContext, name: str, arguments: str) -> FilterContext:
        appended = self._graph.add(name, arguments or None)
        last.link_to(appended)
        return appended

    def _append_rotation(self, last: FilterContext, orientation: Orientation) -> FilterContext:
        if orientation.sideways:
            direction = _TRANSPOSE_DIRECTIONS[orientation.mirrored, orientation.upside_down]
            return self._append(last, "transpose", direction)
        if orientation.mirrored:
            last = self._append(last, "hflip", "")
        if orientation.upside_down:
            last = self._append(last, "vflip", "")
        return last


def frame_format(frame: VideoFrame) -> tuple[int | str | Orientation, ...]:
    """Return what a filter graph depends on: frames with the same format can share one."""
    return (
        frame.width,
        frame.height,
        frame.format.name,
        frame.colorspace,
        frame.color_range,
        frame.color_trc,
        frame.color_primaries,
        orientation_of(frame),
    )
