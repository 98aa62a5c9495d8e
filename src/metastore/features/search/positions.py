"""Positions: the order of an owner's documents, as numbers.

A position is the time of change in microseconds since 1970, followed by eight bits that tell apart what changed in the
same microsecond. Should 256 documents have done that, the next one takes a position of the microsecond after.
"""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

SLOTS = 256
"""Positions in a microsecond."""
FIRST, LAST = -(2**63) + 1, 2**63 - 1
"""The smallest and the largest position."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def first_position(moment: datetime) -> int:
    """Return the first position of this microsecond."""
    return max(FIRST, min(LAST, (moment - _EPOCH) // _MICROSECOND * SLOTS))


def free_position(moment: datetime, taken: Collection[int]) -> int:
    """Return the first position of this microsecond, or of those after it, that is not ``taken``."""
    position = first_position(moment)
    while position in taken:
        position += 1
    return position
