"""Determine how to map the colours of a video so that every screen can show them."""

from dataclasses import dataclass

from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.reformatter import ColorPrimaries, ColorRange, ColorTrc

_HDR = (ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67)
_BT709 = 1
_RGB = 0


@dataclass(frozen=True, slots=True)
class Colours:
    """Matrix, primaries and transfer characteristics as numbered by ITU-T H.273."""

    matrix: int
    primaries: int
    transfer: int


def is_hdr(video: VideoFrame | VideoCodecContext) -> bool:
    """Return whether a video has a dynamic range or a gamut beyond SDR."""
    return video.color_trc in _HDR or video.color_primaries == ColorPrimaries.BT2020


def output_colours(context: VideoCodecContext) -> Colours:
    """Return the colours of the renditions; those of an SDR source are kept."""
    if is_hdr(context):
        return Colours(_BT709, _BT709, _BT709)
    matrix = _BT709 if context.colorspace == _RGB else context.colorspace
    return Colours(matrix, context.color_primaries, context.color_trc)


def scale_arguments(frame: VideoFrame) -> str:
    """Return the arguments of FFmpeg's ``scale`` filter that map colours and tones; empty if there is no need."""
    if is_hdr(frame):
        return "out_color_matrix=bt709:out_primaries=bt709:out_transfer=bt709:out_range=tv:intent=perceptual"
    if frame.format.is_rgb:
        return "out_color_matrix=bt709:out_range=tv"
    return "out_range=tv" if frame.color_range == ColorRange.JPEG else ""
