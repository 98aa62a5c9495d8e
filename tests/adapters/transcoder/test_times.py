"""Times are counted from the source's beginning, without drift."""

from fractions import Fraction

import pytest

from metastore.adapters.transcoder.cuts import Cuts
from metastore.adapters.transcoder.decode_times import DecodeTimes
from metastore.adapters.transcoder.times import Clock


@pytest.mark.parametrize("unit", [Fraction(1, 90_000), Fraction(1001, 30_000), Fraction(1, 25), Fraction(1, 1000)])
def test_hours_later_a_time_is_still_exact(unit: Fraction) -> None:
    clock = Clock(unit, 0)
    a_day_later = int(86_400 / unit)
    assert Fraction(clock.ticks(a_day_later), clock.timescale) == a_day_later * unit


def test_a_unit_too_fine_to_be_counted_is_rounded_each_time_anew() -> None:
    clock = Clock(Fraction(1, 10**9), 0)
    assert 90_000 == clock.timescale
    assert 86_400 * 90_000 == clock.ticks(86_400 * 10**9)


def test_the_beginning_is_nought_and_what_was_before_is_negative() -> None:
    clock = Clock(Fraction(1, 90_000), 1_400_000)
    assert (0, -90) == (clock.ticks(126_000), clock.ticks(125_910))
    assert -1000 == clock.us(clock.ticks(125_910))


def test_ticks_become_microseconds_and_the_same_ticks_again() -> None:
    clock = Clock(Fraction(1001, 30_000), 0)
    for number in range(0, 100_000, 997):
        ticks = clock.ticks(number)
        assert ticks == Cuts([clock.us(ticks)], clock).at(0)


def test_segments_are_as_long_as_their_cuts_are_apart() -> None:
    clock = Clock(Fraction(1, 1000), 0)
    assert 4_000_000 == Cuts([], clock).longest_us(0, 12_000_000)
    assert 6_000_000 == Cuts([0, 6_000_000, 10_000_000], clock).longest_us(13_000_000, 12_000_000)
    assert 12_000_000 == Cuts([0, 6_000_000], clock).longest_us(0, 12_000_000)
    assert Cuts([0, 6_000_000], clock).at(2) is None


def test_frames_are_decoded_in_order_and_before_they_are_shown() -> None:
    times = DecodeTimes(depth=2, length=10)
    first, until = times.of([0, 30, 10, 20, 50, 40], 60)
    then, _ = times.of([60, 90, 70, 80], 100)
    assert ([-20, -10, 0, 10, 20, 30], 40) == (first, until)
    assert [40, 50, 60, 70] == then
