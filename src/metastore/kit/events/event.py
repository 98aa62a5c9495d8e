"""Domain events: what has happened, published for other parts of the product.

A feature declares its events in ``events.py`` as subclasses of ``Event``. A service records one in the transaction of
the change (``Transaction.record``). Field names are camelCase on the wire. A published field is never renamed or
removed without a new ``version``.
"""

from collections.abc import Iterator
from typing import ClassVar

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from metastore.kit.clock import utc_now
from metastore.kit.context import current_context
from metastore.kit.database.command import Nothing, RowInsert
from metastore.kit.events.outbox import INSERT
from metastore.kit.ids import new_id


class Event(BaseModel):
    """Base of every domain event."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)

    event_type: ClassVar[str]
    """Routing key, ``<aggregate>.<past tense>``: ``file.uploaded``."""
    version: ClassVar[int] = 1
    outbox: ClassVar[RowInsert[Nothing]] = INSERT

    def aggregate(self) -> str:
        """Return what the event is about, as ``kind:id``. Events of one aggregate are delivered in order."""
        raise TypeError(f"{type(self).__name__} must implement aggregate()")

    def outbox_row(self) -> dict[str, object]:
        """Return a new outbox row with the current request's context in its headers."""
        context = current_context()
        headers = context.headers() if context else {}
        return {
            "id": new_id(),
            "event_type": self.event_type,
            "aggregate": self.aggregate(),
            "payload": self.model_dump(mode="json", by_alias=True),
            "headers": {**headers, "version": str(self.version)},
            "created_at": utc_now(),
        }


def known_events() -> list[type[Event]]:
    """Return every event class that a loaded module declares."""
    return [event for event in _subclasses(Event) if hasattr(event, "event_type")]


def known_event_types() -> frozenset[str]:
    """Return the event types of all declared events."""
    return frozenset(event.event_type for event in known_events())


def _subclasses(event: type[Event]) -> Iterator[type[Event]]:
    for subclass in event.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)
