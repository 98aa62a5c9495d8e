"""The filter graph that converts each decoded frame for all rungs.

Its output is upright, progressive, SDR, 8 bits and in square pixels.
"""

import os
from collections.abc import Sequence
from fractions import Fraction

import av
from av.filter import Graph
from av.filter.context import FilterContext
from av.video.frame import VideoFrame

from metastore.adapters.sandbox.orientation import UPRIGHT, Orientation, orientation_of
from metastore.adapters.transcoder.video import colour_mapping, tone_mapping
from metastore.ports.transcoder import VideoRendition

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
        graph.threads = _THREADS
        self._source = graph.add(
            "buffer",
            video_size=f"{like.width}x{like.height}",
            pix_fmt=like.format.name,
            time_base=f"1/{timescale}",
            pixel_aspect="1/1",
            colorspace=str(like.colorspace),
            range=str(like.color_range),
        )
        tables: list[tuple[FilterContext, VideoFrame]] = []
        last = self._source
        if interlaced:
            last = self._append(last, "bwdif", "mode=send_frame:deint=interlaced")
        self._sinks = []
        orientation = orientation_of(like)
        for index, rung in enumerate(rungs):
            width, height = (orientation if index == 0 else UPRIGHT).size(rung.width, rung.height)
            size = f"{width}:{height}:flags=bicubic"
            if index == 0:
                # Expensive filters run once, and after the first downscaling.
                last = self._append_colour_mapping(last, like, size, tables)
                last = self._append(last, "format", "yuv420p")
                last = self._append_rotation(last, orientation)
            else:
                last = self._append(last, "scale", size)
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
        for table_source, table in tables:
            table_source.push(table)
            table_source.push(None)

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

    def _append_colour_mapping(
        self, last: FilterContext, like: VideoFrame, size: str, tables: list[tuple[FilterContext, VideoFrame]]
    ) -> FilterContext:
        """Append filters that scale to ``size`` and map colours and tones.

        To ``tables``, append inputs with what is to be pushed to them once the graph is configured.
        """
        transfer = colour_mapping.transfer_of(like)
        if transfer is None:
            last = self._append(last, "scale", size)
            arguments = colour_mapping.scale_arguments(like)
            return self._append(last, "scale", arguments) if arguments else last
        matrix = ":in_color_matrix=bt2020" if colour_mapping.has_unknown_matrix(like) else ""
        last = self._append(last, "scale", size + matrix)
        last = self._append(last, "format", tone_mapping.PIXEL_FORMAT)
        table = tone_mapping.table_frame(transfer, colour_mapping.peak_of(like))
        table.pts, table.time_base = 0, Fraction(1, self._timescale)
        table_source = self._graph.add(
            "buffer",
            video_size=f"{table.width}x{table.height}",
            pix_fmt=tone_mapping.PIXEL_FORMAT,
            time_base=f"1/{self._timescale}",
            pixel_aspect="1/1",
        )
        tables.append((table_source, table))
        mapped = self._graph.add("haldclut", "clut=first:interp=tetrahedral")
        last.link_to(mapped)
        table_source.link_to(mapped, 0, 1)
        last = self._append(mapped, "setparams", "color_primaries=bt709:color_trc=bt709")
        return self._append(last, "scale", "out_color_matrix=bt709:out_range=tv")

    def _append_rotation(self, last: FilterContext, orientation: Orientation) -> FilterContext:
        if orientation.sideways:
            direction = _TRANSPOSE_DIRECTIONS[orientation.mirrored, orientation.upside_down]
            return self._append(last, "transpose", direction)
        if orientation.mirrored:
            last = self._append(last, "hflip", "")
        if orientation.upside_down:
            last = self._append(last, "vflip", "")
        return last


def frame_format(frame: VideoFrame) -> tuple[int | float | str | Orientation, ...]:
    """Return what a filter graph depends on: frames with the same format can share one."""
    return (
        frame.width,
        frame.height,
        frame.format.name,
        frame.colorspace,
        frame.color_range,
        frame.color_trc,
        frame.color_primaries,
        colour_mapping.peak_of(frame),
        orientation_of(frame),
    )
