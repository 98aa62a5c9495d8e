"""Which streams browsers play as they are, in fragmented MP4."""

from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from metastore.adapters.sandbox.turning import AS_IT_IS, turn_of
from metastore.ports.transcoder import MAX_COPIED_SEGMENT_US

_CONTAINERS = frozenset({"mov", "mp4", "matroska"})
_PROFILES = frozenset({66, 77, 100})
"""Baseline, Main and High: 8 bits, 4:2:0."""
_MAX_LEVEL = 52
_MAX_SIDE = 4096
_MAX_PIXELS = 4096 * 2304
_PIXEL_FORMATS = frozenset({"yuv420p", "yuvj420p"})
_PROGRESSIVE = (0, 1)
"""The order of fields: unknown (the frame has been looked at), and progressive."""
_AAC_LC = 2


def is_video_copyable(container: InputContainer, video: VideoStream, frame: VideoFrame) -> bool:
    """Whether it is H.264 that everything plays; ``frame`` is its first."""
    context, extradata = video.codec_context, video.codec_context.extradata or b""
    if context.name != "h264" or _CONTAINERS.isdisjoint(container.format.name.split(",")):
        return False
    # An AVCDecoderConfigurationRecord (ISO/IEC 14496-15) begins with its version, profile, compatibility and level.
    if len(extradata) < 7 or extradata[0] != 1 or extradata[1] not in _PROFILES or extradata[3] > _MAX_LEVEL:
        return False
    plain = frame.format.name in _PIXEL_FORMATS and turn_of(frame) == AS_IT_IS
    progressive = not frame.interlaced_frame and context.field_order in _PROGRESSIVE
    aspect = video.sample_aspect_ratio or context.sample_aspect_ratio
    square = not aspect or aspect == 1
    return plain and progressive and square and _is_sane(frame) and _has_near_keyframes(video)


def is_audio_copyable(stream: AudioStream) -> bool:
    """Whether it is AAC-LC, with the AudioSpecificConfig (ISO/IEC 14496-3) that MP4 wants."""
    context = stream.codec_context
    extradata = context.extradata or b""
    return context.name == "aac" and context.profile == "LC" and len(extradata) >= 2 and extradata[0] >> 3 == _AAC_LC


def _is_sane(frame: VideoFrame) -> bool:
    width, height = frame.width, frame.height
    return max(width, height) <= _MAX_SIDE and width * height <= _MAX_PIXELS and not (width % 2 or height % 2)


def _has_near_keyframes(video: VideoStream) -> bool:
    """Whether none is further from the next than a segment may be long, as far as the index tells."""
    index = video.index_entries
    if not len(index) or not video.time_base:
        return True
    furthest = int(MAX_COPIED_SEGMENT_US / 1_000_000 / video.time_base)
    end = index[len(index) - 1].timestamp
    at = index[0].timestamp
    while at + furthest < end:
        found = index.search_timestamp(at + furthest, backward=True)
        if found < 0 or index[found].timestamp <= at:
            return False
        at = index[found].timestamp
    return True
