"""Where the segments of encoded video renditions start."""

from collections.abc import Sequence
from dataclasses import dataclass

from metastore.adapters.transcoder.timeline import Timeline
from metastore.ports.transcoder import SEGMENT_US


@dataclass(frozen=True, slots=True)
class SegmentRange:
    """The segments to make, from ``first`` on, and before ``until`` if that is set. They start at ``cuts_us``."""

    cuts_us: Sequence[int] = ()
    first: int = 0
    until: int | None = None


class SegmentBoundaries:
    """The given boundaries in microseconds, or one every ``SEGMENT_US`` if there are none."""

    def __init__(self, cuts_us: Sequence[int], timeline: Timeline) -> None:
        self._cuts_us = cuts_us
        self._timeline = timeline

    def start(self, number: int) -> int | None:
        """Return the tick at which a segment starts; ``None`` beyond the last one."""
        if not self._cuts_us:
            return self._timeline.nearest_tick(number * SEGMENT_US)
        return self._timeline.nearest_tick(self._cuts_us[number]) if number < len(self._cuts_us) else None

    def max_duration_us(self, duration_us: int, limit_us: int) -> int:
        """Return the duration of the longest segment, for a source of ``duration_us`` (0: unknown).

        The last segment is assumed to last ``limit_us`` at most.
        """
        if not self._cuts_us:
            return SEGMENT_US
        durations = [later - earlier for earlier, later in zip(self._cuts_us, self._cuts_us[1:], strict=False)]
        last = duration_us - self._cuts_us[-1] if duration_us else limit_us
        return max([*durations, min(last, limit_us), SEGMENT_US])
