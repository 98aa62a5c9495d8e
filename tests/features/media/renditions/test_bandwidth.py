"""Peak and average bandwidth of a rendition."""

import pytest

from metastore.features.media.renditions import bandwidth

SECOND = 1_000_000


@pytest.mark.parametrize(
    ("segments", "peak"),
    [
        ([(500_000, 4 * SECOND)] * 3, 1_000_000),
        ([(500_000, 4 * SECOND), (1_000_000, 4 * SECOND)], 2_000_000),
        # A short last segment counts only together with the one before it.
        ([(500_000, 4 * SECOND), (500_000, SECOND)], 1_600_000),
        # Many short segments are measured together.
        ([(125_000, SECOND)] * 8, 1_000_000),
        ([(125_000, SECOND)], 1_000_000),
        ([], 0),
    ],
)
def test_the_peak_is_measured_over_runs_of_half_to_one_and_a_half_target_durations(
    segments: list[tuple[int, int]], peak: int
) -> None:
    assert peak == bandwidth.peak(segments, 4)


def test_the_average_is_measured_over_all_segments() -> None:
    assert 1_500_000 == bandwidth.average([(500_000, 4 * SECOND), (1_000_000, 4 * SECOND)])
