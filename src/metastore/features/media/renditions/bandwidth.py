"""The bandwidth of a rendition, as RFC 8216 defines it for master playlists."""

from collections.abc import Iterator, Sequence

SegmentSize = tuple[int, int]
"""A segment's size in bytes and its duration in microseconds."""


def peak(segments: Sequence[SegmentSize], target_seconds: int) -> int:
    """Return the peak bit rate: the highest one of any run of segments that lasts 0.5 to 1.5 target durations."""
    rates = [_bit_rate(size, duration) for size, duration in _runs(segments, target_seconds * 1_000_000)]
    return max(rates, default=0) or average(segments)


def average(segments: Sequence[SegmentSize]) -> int:
    """Return the average bit rate over all segments."""
    return _bit_rate(sum(size for size, _ in segments), sum(duration for _, duration in segments))


def _runs(segments: Sequence[SegmentSize], target_us: int) -> Iterator[SegmentSize]:
    for first in range(len(segments)):
        size = duration = 0
        for next_size, next_duration in segments[first:]:
            size, duration = size + next_size, duration + next_duration
            if duration > target_us * 1.5:
                break
            if duration >= target_us * 0.5:
                yield size, duration


def _bit_rate(size: int, duration_us: int) -> int:
    return -(-size * 8_000_000 // duration_us) if duration_us > 0 else 0
