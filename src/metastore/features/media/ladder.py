"""Which renditions a film or sound gets, by what is in it.

The picture comes in sizes named by the shorter side: 1080, 720, 480 and 360 pixels, never larger than the source.
Where it can be streamed as it is, it is copied and is the topmost of them, whatever its size; otherwise the topmost is
encoded at the source's size, up to 1080. Each track of sound is a rendition of its own, which all sizes share.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from metastore.ports.media_tools import MediaFacts
from metastore.ports.transcoder import AudioRendition, VideoRendition

_SIDES = {1080: 5_000_000, 720: 2_800_000, 480: 1_400_000, 360: 800_000}
"""The shorter sides, and the most bits per second that such a picture needs at 16:9."""
_BY_AREA = [(0.0, 0), *sorted((side * side * 16 / 9, bitrate) for side, bitrate in _SIDES.items())]
_WORTH_IT = 0.9
"""A rung must be that much smaller than the one above it: nobody would notice the change."""
_LONGEST_SIDE = 4096
_LEAST_BITRATE = 100_000
_MAX_TRACKS = 16


@dataclass(frozen=True, slots=True)
class Ladder:
    """What is to be made: of the picture a copy of that name, if any, and ``rungs``; of the sounds ``audio``."""

    copied: str | None = None
    audio: Sequence[AudioRendition] = ()
    rungs: Sequence[VideoRendition] = ()

    @property
    def has_picture(self) -> bool:
        """Whether there is anything to be seen."""
        return self.copied is not None or bool(self.rungs)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to be made."""
        return not self.has_picture and not self.audio


def ladder(facts: MediaFacts) -> Ladder:
    """The renditions of what is neither film nor sound are none."""
    audio = _audio(facts)
    if facts.video_codec is None or not facts.width or not facts.height:
        return Ladder(audio=audio)
    short = min(facts.width, facts.height)
    if facts.video_copyable:
        return Ladder(f"v{short}", audio, _rungs(facts.width, facts.height, _below(short)))
    top = min(short, max(_SIDES))
    return Ladder(None, audio, _rungs(facts.width, facts.height, [top, *_below(top)]))


def _below(side: int) -> list[int]:
    return [lower for lower in _SIDES if lower <= side * _WORTH_IT]


def _rungs(width: int, height: int, sides: Sequence[int]) -> tuple[VideoRendition, ...]:
    rungs = []
    for side in sides:
        scale = min(side / min(width, height), _LONGEST_SIDE / max(width, height), 1.0)
        size = _even(width * scale), _even(height * scale)
        rungs.append(VideoRendition(f"v{side}", *size, bitrate=_bitrate(size[0] * size[1])))
    return tuple(rungs)


def _even(pixels: float) -> int:
    """Never more than there are, but two at least: colours have half as many."""
    return max(2, int(pixels + 0.01) // 2 * 2)


def _bitrate(pixels: int) -> int:
    """As many as a picture of the usual shape has that is as large, in between in proportion."""
    for (less, fewer), (more, bits) in pairwise(_BY_AREA):
        if pixels <= more:
            return max(_LEAST_BITRATE, round(fewer + (bits - fewer) * (pixels - less) / (more - less)))
    return max(_SIDES.values())


def _audio(facts: MediaFacts) -> tuple[AudioRendition, ...]:
    """All tracks, or of very many those that are played unasked and the first ones."""
    wanted = sorted(range(len(facts.audio_tracks)), key=lambda index: not facts.audio_tracks[index].default)
    return tuple(
        AudioRendition(f"a{index}", index, copy=facts.audio_tracks[index].copyable)
        for index in sorted(wanted[:_MAX_TRACKS])
    )
