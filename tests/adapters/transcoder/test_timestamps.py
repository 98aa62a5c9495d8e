"""Timelines, segment boundaries and decode timestamps."""

from fractions import Fraction

import pytest

from metastore.adapters.transcoder.mp4.muxer import Sample
from metastore.adapters.transcoder.timeline import Timeline
from metastore.adapters.transcoder.video.decode_timestamps import DecodeTimestamps
from metastore.adapters.transcoder.video.segment_boundaries import SegmentBoundaries


@pytest.mark.parametrize("unit", [Fraction(1, 90_000), Fraction(1001, 30_000), Fraction(1, 25), Fraction(1, 1000)])
def test_conversion_does_not_drift(unit: Fraction) -> None:
    timeline = Timeline(unit, 0)
    one_day = int(86_400 / unit)
    assert Fraction(timeline.ticks(one_day), timeline.timescale) == one_day * unit


def test_a_very_fine_time_base_is_rounded_without_accumulating_errors() -> None:
    timeline = Timeline(Fraction(1, 10**9), 0)
    assert 90_000 == timeline.timescale
    assert 86_400 * 90_000 == timeline.ticks(86_400 * 10**9)


def test_the_start_is_zero_and_earlier_times_are_negative() -> None:
    timeline = Timeline(Fraction(1, 90_000), 1_400_000)
    assert (0, -90) == (timeline.ticks(126_000), timeline.ticks(125_910))
    assert -1000 == timeline.us(timeline.ticks(125_910))


def test_ticks_survive_a_round_trip_through_microseconds() -> None:
    timeline = Timeline(Fraction(1001, 30_000), 0)
    for number in range(0, 100_000, 997):
        ticks = timeline.ticks(number)
        assert ticks == SegmentBoundaries([timeline.us(ticks)], timeline).start(0)


def test_the_longest_segment_follows_from_the_boundaries() -> None:
    timeline = Timeline(Fraction(1, 1000), 0)
    assert 4_000_000 == SegmentBoundaries([], timeline).max_duration_us(0, 12_000_000)
    assert 6_000_000 == SegmentBoundaries([0, 6_000_000, 10_000_000], timeline).max_duration_us(13_000_000, 12_000_000)
    assert 12_000_000 == SegmentBoundaries([0, 6_000_000], timeline).max_duration_us(0, 12_000_000)
    assert SegmentBoundaries([0, 6_000_000], timeline).start(2) is None


def segment(*shown: int) -> list[Sample]:
    """Return frames in decoding order, by presentation time."""
    return [Sample(b"", at, at) for at in shown]


def decoded(samples: list[Sample]) -> list[int]:
    return [sample.decoded for sample in samples]


def test_decode_times_increase_and_precede_presentation_times() -> None:
    times = DecodeTimestamps(depth=2, rate=Fraction(100), timescale=1000)
    first, until = times.assign(segment(0, 30, 10, 20, 50, 40), 60)
    then, _ = times.assign(segment(60, 90, 70, 80), 100)
    assert ([-20, -10, 0, 10, 20, 30], 40) == (decoded(first), until)
    assert [40, 50, 60, 70] == decoded(then)


@pytest.mark.parametrize("depth", [0, 1, 2, 16])
@pytest.mark.parametrize(
    "shown", [(0, 9000, 3000, 6000), (0, 5000, 3000, 4000, 5040), (0, 20, 10, 40, 30), (7, 40, 20, 10, 30, 5000), (0,)]
)
def test_a_segment_is_decoded_for_as_long_as_it_is_shown(shown: tuple[int, ...], depth: int) -> None:
    times = DecodeTimestamps(depth, Fraction(25), timescale=1000)
    ends = max(shown) + 900
    for number in range(3):
        later = number * (ends - shown[0])
        samples, until = times.assign(segment(*(at + later for at in shown)), ends + later)
        at = decoded(samples)
        assert ends - shown[0] == until - at[0]
        assert sorted(set(at)) == at
        assert all(sample.decoded <= sample.shown for sample in samples)
        assert shown[0] + later - 100 <= at[0] <= shown[0] + later


def test_the_decoding_delay_is_limited_at_low_frame_rates() -> None:
    """At one frame per second, reordering by two frames would delay the first one by two seconds."""
    samples, until = DecodeTimestamps(2, Fraction(1), timescale=1000).assign(segment(0, 3000, 1000, 2000), 4000)
    assert (-100, 3900) == (decoded(samples)[0], until)
