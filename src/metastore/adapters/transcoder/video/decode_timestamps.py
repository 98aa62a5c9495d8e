"""Decode timestamps (DTS) of a rendition's samples.

They are computed rather than copied from the source or the encoder, because players derive the start and duration of a
segment from them. The decode times of a segment span exactly its duration, and begin a fixed short time before it is
shown. This holds for any frame intervals, for a late first frame, and for segments of different jobs.
"""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import accumulate

from metastore.adapters.transcoder.mp4.muxer import Sample

_MAX_DELAY = Fraction(1, 10)
"""Seconds. Players start a video where decoding starts, and show nothing until the first frame."""


class DecodeTimestamps:
    """Assigns decode timestamps to consecutive segments.

    ``depth`` is the number of frames by which the encoder reorders, ``rate`` the usual number of frames per second.
    """

    def __init__(self, depth: int, rate: Fraction, timescale: int) -> None:
        self._delay = round(timescale * min(depth / rate, _MAX_DELAY))
        self._earliest: int | None = None

    def assign(self, samples: Sequence[Sample], end: int) -> tuple[list[Sample], int]:
        """Return a segment's samples, in decoding order, with their timestamps, and the timestamp of the next sample.

        ``end`` is the tick at which the last frame of the segment is no longer shown.
        """
        shown = [sample.shown for sample in samples]
        in_order = sorted(shown)
        # No frame may be decoded after it is shown, nor before its predecessor.
        latest = list(accumulate(reversed(shown), lambda before, at: min(before - 1, at)))[::-1]
        times = [min(turn - self._delay, last) for turn, last in zip(in_order, latest, strict=True)]
        earliest = in_order[0] - self._delay if self._earliest is None else self._earliest
        timed = []
        for sample, time in zip(samples, times, strict=True):
            decoded = max(time, earliest)
            earliest = decoded + 1
            timed.append(replace(sample, decoded=decoded))
        self._earliest = max(earliest, end - self._delay)
        return timed, self._earliest
