"""When frames of pictures are to be decoded, where the container does not say."""

from collections.abc import Sequence


class DecodeTimes:
    """Of frames in the order of decoding, each of which is shown at most ``depth`` frames later than its turn.

    A frame's time is that at which the one ``depth`` frames before it is shown: ever later, and never after its own.
    """

    def __init__(self, depth: int, length: int) -> None:
        self._depth = depth
        self._length = length
        self._shown_before: list[int] = []

    def of(self, shown: Sequence[int], until: int) -> tuple[list[int], int]:
        """Of frames that are shown at those times, and of the next, which is shown at ``until`` after all of them."""
        in_order = sorted(shown)
        if not self._shown_before:
            self._shown_before = [in_order[0] - self._length * count for count in range(self._depth, 0, -1)]
        turns = [*self._shown_before, *in_order, until]
        self._shown_before = turns[len(in_order) : -1]
        return turns[: len(in_order)], turns[len(in_order)]
