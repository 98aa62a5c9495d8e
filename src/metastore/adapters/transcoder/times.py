"""One clock for all that is made of a source: its beginning is 0."""

from fractions import Fraction

from metastore.ports.transcoder import SHIFT_US

_FINEST = 10_000_000
_COARSEST = 10_000
_USUAL = 90_000


class Clock:
    """Counts a stream's times in ticks, of which there are ``timescale`` a second, from the source's beginning.

    Exact wherever the stream's own unit can be counted so; never off by more than half a tick.
    """

    def __init__(self, unit: Fraction, beginning_us: int) -> None:
        if unit.denominator <= _FINEST:
            self.timescale = unit.denominator * -(-_COARSEST // unit.denominator)
        else:
            self.timescale = _USUAL
        self._ticks_of_unit = unit * self.timescale
        self._beginning = round(Fraction(beginning_us * self.timescale, 1_000_000))

    def ticks(self, time: int) -> int:
        """Of a time in the stream's units."""
        ticks = time * self._ticks_of_unit
        return (ticks.numerator if ticks.denominator == 1 else round(ticks)) - self._beginning

    def length(self, units: int) -> int:
        """How many ticks that many units last."""
        return round(units * self._ticks_of_unit)

    def ticks_of_us(self, us: int) -> int:
        """The first tick that is not before that many microseconds."""
        return -(-us * self.timescale // 1_000_000)

    def us(self, ticks: int) -> int:
        """In microseconds."""
        return (ticks * 2_000_000 + self.timescale) // (2 * self.timescale)

    @property
    def shift(self) -> int:
        """``SHIFT_US`` in ticks."""
        return SHIFT_US * self.timescale // 1_000_000
