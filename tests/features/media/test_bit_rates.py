"""The bandwidth of a rendition is that of its fullest stretch of about a segment's length."""

import pytest

from metastore.features.media import bit_rates

SECOND = 1_000_000


@pytest.mark.parametrize(
    ("segments", "peak"),
    [
        ([(500_000, 4 * SECOND)] * 3, 1_000_000),
        ([(500_000, 4 * SECOND), (1_000_000, 4 * SECOND)], 2_000_000),
        # A short last one counts only together with the one before it.
        ([(500_000, 4 * SECOND), (500_000, SECOND)], 1_600_000),
        # Many short ones are looked at together.
        ([(125_000, SECOND)] * 8, 1_000_000),
        ([(125_000, SECOND)], 1_000_000),
        ([], 0),
    ],
)
def test_the_peak_is_that_of_runs_between_half_and_one_and_a_half_of_the_target(
    segments: list[tuple[int, int]], peak: int
) -> None:
    assert peak == bit_rates.peak(segments, 4)


def test_the_average_is_over_everything() -> None:
    assert 1_500_000 == bit_rates.average([(500_000, 4 * SECOND), (1_000_000, 4 * SECOND)])
