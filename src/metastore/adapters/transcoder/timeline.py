"""The common time line of all renditions of a source; the source starts at 0."""

from fractions import Fraction

from metastore.ports.transcoder import SHIFT_US

LATE_US = 100_000
"""A video stream that starts later than this has its first frame shown from the start of the source."""
_MAX_TIMESCALE = 10_000_000
_MIN_TIMESCALE = 10_000
_DEFAULT_TIMESCALE = 90_000


class Timeline:
    """Converts a stream's timestamps to ticks since the start of the source, with ``timescale`` ticks per second.

    Exact if the stream's time base allows it, otherwise never off by more than half a tick.
    """

    def __init__(self, time_base: Fraction, start_us: int) -> None:
        if time_base.denominator <= _MAX_TIMESCALE:
            self.timescale = time_base.denominator * -(-_MIN_TIMESCALE // time_base.denominator)
        else:
            self.timescale = _DEFAULT_TIMESCALE
        self._ticks_per_unit = time_base * self.timescale
        self._start = round(Fraction(start_us * self.timescale, 1_000_000))

    def ticks(self, timestamp: int) -> int:
        """Convert a timestamp of the stream."""
        ticks = timestamp * self._ticks_per_unit
        return (ticks.numerator if ticks.denominator == 1 else round(ticks)) - self._start

    def length(self, duration: int) -> int:
        """Convert a duration in the stream's time base."""
        return round(duration * self._ticks_per_unit)

    def ticks_of_us(self, us: int) -> int:
        """Convert microseconds, rounding up."""
        return -(-us * self.timescale // 1_000_000)

    def nearest_tick(self, us: int) -> int:
        """Convert microseconds, rounding to the nearest tick."""
        return (us * self.timescale + 500_000) // 1_000_000

    def us(self, ticks: int) -> int:
        """Convert ticks to microseconds."""
        return (ticks * 2_000_000 + self.timescale) // (2 * self.timescale)

    @property
    def shift(self) -> int:
        """``SHIFT_US`` in ticks."""
        return SHIFT_US * self.timescale // 1_000_000
