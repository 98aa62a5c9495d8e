"""Times are counted from the source's beginning, without drift."""

from fractions import Fraction

import pytest

from metastore.adapters.transcoder.cuts import Cuts
from metastore.adapters.transcoder.decode_times import DecodeTimes
from metastore.adapters.transcoder.fragments import Sample
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


def segment(*shown: int) -> list[Sample]:
    """Frames in the order of decoding that are shown at those times."""
    return [Sample(b"", at, at) for at in shown]


def decoded(samples: list[Sample]) -> list[int]:
    return [sample.decoded for sample in samples]


def test_frames_are_decoded_in_order_and_before_they_are_shown() -> None:
    times = DecodeTimes(depth=2, rate=Fraction(100), timescale=1000)
    first, until = times.of(segment(0, 30, 10, 20, 50, 40), 60)
    then, _ = times.of(segment(60, 90, 70, 80), 100)
    assert ([-20, -10, 0, 10, 20, 30], 40) == (decoded(first), until)
    assert [40, 50, 60, 70] == decoded(then)


@pytest.mark.parametrize("depth", [0, 1, 2, 16])
@pytest.mark.parametrize(
    "shown", [(0, 9000, 3000, 6000), (0, 5000, 3000, 4000, 5040), (0, 20, 10, 40, 30), (7, 40, 20, 10, 30, 5000), (0,)]
)
def test_a_segment_is_decoded_for_as_long_as_it_is_shown_however_its_frames_are_apart(
    shown: tuple[int, ...], depth: int
) -> None:
    times = DecodeTimes(depth, Fraction(25), timescale=1000)
    ends = max(shown) + 900
    for number in range(3):
        later = number * (ends - shown[0])
        samples, until = times.of(segment(*(at + later for at in shown)), ends + later)
        at = decoded(samples)
        assert ends - shown[0] == until - at[0]
        assert sorted(set(at)) == at
        assert all(sample.decoded <= sample.shown for sample in samples)
        assert shown[0] + later - 100 <= at[0] <= shown[0] + later


def test_players_do_not_wait_long_for_what_begins_to_be_decoded_first() -> None:
    """A frame a second, shown two frames later: two seconds would pass without a picture."""
    samples, until = DecodeTimes(2, Fraction(1), timescale=1000).of(segment(0, 3000, 1000, 2000), 4000)
    assert (-100, 3900) == (decoded(samples)[0], until)
