"""The interface by which a transfer reports its progress."""

from typing import Protocol


class Progress(Protocol):
    """Counts the bytes of one file."""

    def advance(self, count: int, *, moved: bool = True) -> None:
        """Add ``count`` bytes. A negative count subtracts bytes that must be transferred again.

        ``moved`` is false for bytes that this run has not transferred.
        """
        ...
