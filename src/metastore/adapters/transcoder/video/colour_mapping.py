"""Determine how to map the colours of a video so that every screen can show them."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from av.buffer import Buffer
from av.sidedata.sidedata import SideDataContainer, Type
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.reformatter import ColorPrimaries, ColorRange, ColorTrc

from metastore.adapters.transcoder.video.tone_mapping import PQ_PEAK, SDR_PEAK, Transfer

_HDR = (ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67)
_BT709 = 1
_RGB = 0
_UNSPECIFIED = 2
_DEFAULT_PEAK = 1000.0
"""In cd/m²; what most films are made for."""
_MASTERING_LUMINANCE = struct.Struct("=72x2i4xi")
"""The highest luminance in FFmpeg's ``AVMasteringDisplayMetadata``, as a fraction, and whether it is known."""


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


def transfer_of(frame: VideoFrame) -> Transfer | None:
    """Return the transfer characteristics of an HDR frame for ``tone_mapping``; ``None`` if that has no table."""
    if not is_hdr(frame) or frame.color_primaries not in (ColorPrimaries.BT2020, _UNSPECIFIED):
        return None
    if frame.color_trc == ColorTrc.SMPTE2084:
        return Transfer.PQ
    return Transfer.HLG if frame.color_trc == ColorTrc.ARIB_STD_B67 else Transfer.SDR


def peak_of(frame: VideoFrame) -> float:
    """Return the brightest light in cd/m² of the screen for which a PQ film was made."""
    # `frame.side_data` would create a reference cycle with the frame.
    side_data = cast("Mapping[Type, Buffer]", SideDataContainer(frame))  # type: ignore[call-arg]  # left untyped there
    metadata = side_data.get(Type.MASTERING_DISPLAY_METADATA)
    if metadata is None or metadata.buffer_size < _MASTERING_LUMINANCE.size:
        return _DEFAULT_PEAK
    numerator, denominator, is_known = _MASTERING_LUMINANCE.unpack_from(bytes(metadata))
    if not is_known or numerator <= 0 or denominator <= 0:
        return _DEFAULT_PEAK
    return float(min(max(numerator / denominator, SDR_PEAK), PQ_PEAK))


def has_unknown_matrix(frame: VideoFrame) -> bool:
    """Return whether a frame does not say how to convert it to RGB."""
    return frame.colorspace == _UNSPECIFIED and not frame.format.is_rgb


def scale_arguments(frame: VideoFrame) -> str:
    """Return the arguments of FFmpeg's ``scale`` filter that map colours and tones; empty if there is no need."""
    if is_hdr(frame):
        return "out_color_matrix=bt709:out_primaries=bt709:out_transfer=bt709:out_range=tv:intent=perceptual"
    if frame.format.is_rgb:
        return "out_color_matrix=bt709:out_range=tv"
    return "out_range=tv" if frame.color_range == ColorRange.JPEG else ""
