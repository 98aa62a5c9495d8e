"""Exponential back-off."""

_BASE = 0.1
_MAX_DOUBLINGS = 32
"""Every useful limit is reached before this many; after about a thousand, the float would overflow."""


def backoff(failures: int, longest: float) -> float:
    """Return the seconds to wait after that many failures in a row: 0.2, 0.4, 0.8 …, at most ``longest``."""
    return min(longest, _BASE * 2.0 ** min(failures, _MAX_DOUBLINGS))
