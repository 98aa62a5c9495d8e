"""How fast a connection must be to play a rendition, as RFC 8216 counts it."""

from collections.abc import Iterator, Sequence

Weight = tuple[int, int]
"""A segment's size in bytes and its duration in microseconds."""


def peak(segments: Sequence[Weight], target_seconds: int) -> int:
    """Bits per second of the fullest run of segments that lasts between a half and one and a half of the target."""
    runs = [_rate(size, duration) for size, duration in _runs(segments, target_seconds * 1_000_000)]
    return max(runs, default=0) or average(segments)


def average(segments: Sequence[Weight]) -> int:
    """Bits per second of all of it."""
    return _rate(sum(size for size, _ in segments), sum(duration for _, duration in segments))


def _runs(segments: Sequence[Weight], target_us: int) -> Iterator[Weight]:
    for first in range(len(segments)):
        size = duration = 0
        for more_size, more_duration in segments[first:]:
            size, duration = size + more_size, duration + more_duration
            if duration > target_us * 1.5:
                break
            if duration >= target_us * 0.5:
                yield size, duration


def _rate(size: int, duration_us: int) -> int:
    return -(-size * 8_000_000 // duration_us) if duration_us > 0 else 0
