"""What is to be done about a picture's colours, so that any screen shows them."""

from dataclasses import dataclass

from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.reformatter import ColorPrimaries, ColorRange, ColorTrc

_HDR = (ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67)
_BT709 = 1
_RGB = 0


@dataclass(frozen=True, slots=True)
class Colours:
    """As the specifications number them (ITU-T H.273): matrix, primaries, transfer."""

    matrix: int
    primaries: int
    transfer: int


def is_beyond_sdr(of: VideoFrame | VideoCodecContext) -> bool:
    """Whether they have to be brought into what every screen shows."""
    return of.color_trc in _HDR or of.color_primaries == ColorPrimaries.BT2020


def made_of(context: VideoCodecContext) -> Colours:
    """What the colours are in the end; those of SDR stay what they were."""
    if is_beyond_sdr(context):
        return Colours(_BT709, _BT709, _BT709)
    matrix = _BT709 if context.colorspace == _RGB else context.colorspace
    return Colours(matrix, context.color_primaries, context.color_trc)


def mapping(frame: VideoFrame) -> str:
    """Arguments of the filter ``scale`` for what has to be mapped, tones included; empty if nothing has."""
    if is_beyond_sdr(frame):
        return "out_color_matrix=bt709:out_primaries=bt709:out_transfer=bt709:out_range=tv:intent=perceptual"
    if frame.format.is_rgb:
        return "out_color_matrix=bt709:out_range=tv"
    return "out_range=tv" if frame.color_range == ColorRange.JPEG else ""
