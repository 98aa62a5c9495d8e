"""The latest published events in memory, so that consumers that keep up need not read them from the database."""

from collections.abc import Sequence

from metastore.kit.events.outbox import RecordedEvent

CAPACITY = 2000
"""Maximum number of events. A consumer that falls further behind reads from the database."""


class RecentEvents:
    """A gapless stretch of events by position."""

    def __init__(self) -> None:
        self._before = 0
        self._events: list[RecordedEvent] = []

    def add(self, before: int, events: Sequence[RecordedEvent]) -> None:
        """Add events whose positions follow ``before``. Whatever does not adjoin them is forgotten."""
        if before != self._before + len(self._events):
            self._before, self._events = before, []
        self._events += events
        self.forget(self._before + len(self._events) - CAPACITY)

    def after(self, position: int, limit: int) -> Sequence[RecordedEvent] | None:
        """Return up to ``limit`` events after a position, or ``None`` if they are not known."""
        start = position - self._before
        if not 0 <= start <= len(self._events):
            return None
        return self._events[start : start + limit]

    def forget(self, position: int) -> None:
        """Forget the events up to a position."""
        count = position - self._before
        if count > 0:
            del self._events[:count]
            self._before = position

    def clear(self) -> None:
        """Forget everything."""
        self._before += len(self._events)
        self._events = []
