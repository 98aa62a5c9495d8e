"""When frames of pictures are to be decoded: not as any container or encoder has it, but so that segments join.

Players go by these times when they ask where a segment begins and how long it is. So every segment is decoded for as
long as it is shown, and always the same little while before: however its frames are apart, no matter how late the first
of a film is, and whether it was made in one go with the one before it or not.
"""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import accumulate

from metastore.adapters.transcoder.fragments import Sample

_MOST_SECONDS = Fraction(1, 10)
"""Players begin a film where its decoding does: nothing is to be seen there for so long."""


class DecodeTimes:
    """Of frames of which each is shown at most ``depth`` frames later than its turn, ``rate`` a second as a rule."""

    def __init__(self, depth: int, rate: Fraction, timescale: int) -> None:
        self._earlier = round(timescale * min(depth / rate, _MOST_SECONDS))
        self._earliest: int | None = None

    def of(self, samples: Sequence[Sample], ends: int) -> tuple[list[Sample], int]:
        """A segment, in the order of decoding, whose frames are shown until ``ends``; and when the next is decoded."""
        shown = [sample.shown for sample in samples]
        in_order = sorted(shown)
        # Nothing is decoded after it is shown, nor before what it comes after.
        latest = list(accumulate(reversed(shown), lambda before, at: min(before - 1, at)))[::-1]
        times = [min(turn - self._earlier, last) for turn, last in zip(in_order, latest, strict=True)]
        earliest = in_order[0] - self._earlier if self._earliest is None else self._earliest
        timed = []
        for sample, time in zip(samples, times, strict=True):
            decoded = max(time, earliest)
            earliest = decoded + 1
            timed.append(replace(sample, decoded=decoded))
        self._earliest = max(earliest, ends - self._earlier)
        return timed, self._earliest
