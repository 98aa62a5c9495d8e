"""The progress of a transfer, as its caller wants to see it."""

from typing import Protocol


class Progress(Protocol):
    """Counts the bytes of one file."""

    def advance(self, count: int, *, moved: bool = True) -> None:
        """Add ``count`` bytes. A negative count subtracts bytes that must be transferred again.

        ``moved`` is false for bytes that were there before, and not transferred now.
        """
        ...
