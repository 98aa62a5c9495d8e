"""Where segments of pictures begin, in ticks."""

from collections.abc import Sequence

from metastore.adapters.transcoder.times import Clock
from metastore.ports.transcoder import SEGMENT_US

LATE_US = 100_000
"""A picture that begins later than that after the film has its first frame shown from the beginning on."""


class Cuts:
    """``cuts_us`` if there are any, else every ``SEGMENT_US``."""

    def __init__(self, cuts_us: Sequence[int], clock: Clock) -> None:
        self._cuts_us = cuts_us
        self._clock = clock

    def at(self, number: int) -> int | None:
        """When that segment begins, if there is one."""
        if not self._cuts_us:
            return self._ticks(number * SEGMENT_US)
        return self._ticks(self._cuts_us[number]) if number < len(self._cuts_us) else None

    def longest_us(self, duration_us: int, at_most_us: int) -> int:
        """How long segments will be at most, of a film that is as long as that (0: not known)."""
        if not self._cuts_us:
            return SEGMENT_US
        lengths = [later - earlier for earlier, later in zip(self._cuts_us, self._cuts_us[1:], strict=False)]
        last = duration_us - self._cuts_us[-1] if duration_us else at_most_us
        return max(*lengths, min(last, at_most_us), SEGMENT_US) if lengths else max(min(last, at_most_us), SEGMENT_US)

    def _ticks(self, us: int) -> int:
        """The tick that is nearest."""
        return (us * self._clock.timescale + 500_000) // 1_000_000
