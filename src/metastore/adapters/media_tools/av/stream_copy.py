"""Decide which streams can be copied into fragmented MP4 without encoding and still play in every browser."""

from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from metastore.adapters.sandbox.orientation import UPRIGHT, orientation_of
from metastore.ports.transcoder import MAX_COPIED_SEGMENT_US

_CONTAINERS = frozenset({"mov", "mp4", "matroska"})
_PROFILES = frozenset({66, 77, 100})
"""Baseline, Main and High: 8 bits, 4:2:0."""
_MAX_LEVEL = 52
_MAX_SIDE = 4096
_MAX_PIXELS = 4096 * 2304
_PIXEL_FORMATS = frozenset({"yuv420p", "yuvj420p"})
_PROGRESSIVE = (0, 1)
"""Field orders: unknown (the first frame is checked as well) and progressive."""
_AAC_LC = 2


def is_video_copyable(container: InputContainer, video: VideoStream, frame: VideoFrame) -> bool:
    """Return whether the stream is H.264 that every browser plays; ``frame`` is its first frame."""
    context, extradata = video.codec_context, video.codec_context.extradata or b""
    if context.name != "h264" or _CONTAINERS.isdisjoint(container.format.name.split(",")):
        return False
    # An AVCDecoderConfigurationRecord (ISO/IEC 14496-15) starts with version, profile, compatibility and level.
    if len(extradata) < 7 or extradata[0] != 1 or extradata[1] not in _PROFILES or extradata[3] > _MAX_LEVEL:
        return False
    is_upright_yuv420p = frame.format.name in _PIXEL_FORMATS and orientation_of(frame) == UPRIGHT
    is_progressive = not frame.interlaced_frame and context.field_order in _PROGRESSIVE
    aspect = video.sample_aspect_ratio or context.sample_aspect_ratio
    has_square_pixels = not aspect or aspect == 1
    has_valid_form = is_upright_yuv420p and is_progressive and has_square_pixels
    return has_valid_form and _has_valid_size(frame) and _has_frequent_keyframes(video)


def is_audio_copyable(stream: AudioStream) -> bool:
    """Return whether the stream is AAC-LC with the AudioSpecificConfig (ISO/IEC 14496-3) that MP4 requires."""
    context = stream.codec_context
    extradata = context.extradata or b""
    return context.name == "aac" and context.profile == "LC" and len(extradata) >= 2 and extradata[0] >> 3 == _AAC_LC


def _has_valid_size(frame: VideoFrame) -> bool:
    width, height = frame.width, frame.height
    return max(width, height) <= _MAX_SIDE and width * height <= _MAX_PIXELS and not (width % 2 or height % 2)


def _has_frequent_keyframes(video: VideoStream) -> bool:
    """Return whether the index lists no two consecutive keyframes further apart than a segment may be long."""
    index = video.index_entries
    if not len(index) or not video.time_base:
        return True
    max_distance = int(MAX_COPIED_SEGMENT_US / 1_000_000 / video.time_base)
    end = index[len(index) - 1].timestamp
    keyframe = index[0].timestamp
    while keyframe + max_distance < end:
        found = index.search_timestamp(keyframe + max_distance, backward=True)
        if found < 0 or index[found].timestamp <= keyframe:
            return False
        keyframe = index[found].timestamp
    return True
