"""The rendition ladder: which renditions a video or audio file gets.

Video rungs are named by their shorter side: 1080, 720, 480 and 360 pixels, never larger than the source. If the video
can be remuxed, the copy is the top rung whatever its size; otherwise the top rung is encoded in the source's size, up
to 1080. Each audio track is a rendition of its own, shared by all video rungs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from metastore.ports.media_tools import ProbeResult
from metastore.ports.transcoder import AudioRendition, VideoRendition

_RUNGS = {1080: 5_000_000, 720: 2_800_000, 480: 1_400_000, 360: 800_000}
"""Shorter side, and the maximum bit rate at 16:9."""
_BY_AREA = [(0.0, 0), *sorted((side * side * 16 / 9, bitrate) for side, bitrate in _RUNGS.items())]
_MAX_RATIO = 0.9
"""How large a rung may be relative to the one above; switching between more similar ones would gain nothing."""
_MAX_LONGER_SIDE = 4096
_MIN_BITRATE = 100_000
_MAX_AUDIO_TRACKS = 16


@dataclass(frozen=True, slots=True)
class Ladder:
    """The renditions of a file: the name of the remuxed video if any, the audio tracks, and the encoded rungs."""

    copied: str | None = None
    audio: Sequence[AudioRendition] = ()
    rungs: Sequence[VideoRendition] = ()

    @property
    def has_video(self) -> bool:
        """Whether there is any video rendition."""
        return self.copied is not None or bool(self.rungs)

    @property
    def is_empty(self) -> bool:
        """Whether there is no rendition at all."""
        return not self.has_video and not self.audio


def ladder(probed: ProbeResult) -> Ladder:
    """Return the ladder for a probe result; it is empty for anything but video and audio."""
    audio = _audio_renditions(probed)
    if probed.video_codec is None or not probed.width or not probed.height:
        return Ladder(audio=audio)
    shorter = min(probed.width, probed.height)
    if probed.video_copyable:
        return Ladder(f"v{shorter}", audio, _video_renditions(probed.width, probed.height, _rungs_below(shorter)))
    top = min(shorter, max(_RUNGS))
    return Ladder(None, audio, _video_renditions(probed.width, probed.height, [top, *_rungs_below(top)]))


def _rungs_below(side: int) -> list[int]:
    return [lower for lower in _RUNGS if lower <= side * _MAX_RATIO]


def _video_renditions(width: int, height: int, sides: Sequence[int]) -> tuple[VideoRendition, ...]:
    rungs = []
    for side in sides:
        scale = min(side / min(width, height), _MAX_LONGER_SIDE / max(width, height), 1.0)
        size = _even(width * scale), _even(height * scale)
        rungs.append(VideoRendition(f"v{side}", *size, bitrate=_bitrate(size[0] * size[1])))
    return tuple(rungs)


def _even(pixels: float) -> int:
    """Round down to an even number, at least 2: chroma planes have half the resolution."""
    return max(2, int(pixels + 0.01) // 2 * 2)


def _bitrate(pixels: int) -> int:
    """Interpolate the bit rate between rungs of 16:9 by the number of pixels."""
    for (fewer_pixels, lower), (more_pixels, higher) in pairwise(_BY_AREA):
        if pixels <= more_pixels:
            share = (pixels - fewer_pixels) / (more_pixels - fewer_pixels)
            return max(_MIN_BITRATE, round(lower + (higher - lower) * share))
    return max(_RUNGS.values())


def _audio_renditions(probed: ProbeResult) -> tuple[AudioRendition, ...]:
    """Return all tracks; if there are too many, default tracks take precedence over the others."""
    by_priority = sorted(range(len(probed.audio_tracks)), key=lambda index: not probed.audio_tracks[index].default)
    return tuple(
        AudioRendition(f"a{index}", index, copy=probed.audio_tracks[index].copyable)
        for index in sorted(by_priority[:_MAX_AUDIO_TRACKS])
    )
