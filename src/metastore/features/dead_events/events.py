"""Events published by the dead events feature."""

from typing import ClassVar

from metastore.kit.events.event import Event


class EventRedelivered(Event):
    """An admin redelivered a dead event; the audit trail records who."""

    event_type: ClassVar[str] = "event.redelivered"
    dead_id: str

    def aggregate(self) -> str:
        """The dead event."""
        return f"dead-event:{self.dead_id}"
