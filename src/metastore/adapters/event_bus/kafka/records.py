"""Dead events as records."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from metastore.kit import cloudevents
from metastore.kit.clock import rfc3339, utc_now
from metastore.kit.outbox import RecordedEvent
from metastore.ports.event_bus import DeadEvent

Headers = Sequence[tuple[str, bytes]]


class Record(Protocol):
    """What we read of a record."""

    key: bytes | None
    value: bytes | None
    headers: Headers


def headers_of(attempts: int, error: str) -> Headers:
    """What is kept beside a dead event."""
    return [
        ("metastore-attempts", str(attempts).encode()),
        ("metastore-error", error.encode(errors="replace")),
        ("metastore-died-at", rfc3339(utc_now()).encode()),
    ]


def dead_event(consumer: str, dead_id: str, value: bytes, headers: Headers) -> DeadEvent:
    """The dead event that a record tells of."""
    kept = {name: content.decode(errors="replace") for name, content in headers}
    died_at = datetime.fromisoformat(kept["metastore-died-at"])
    return DeadEvent(
        dead_id,
        consumer,
        cloudevents.decode(value),
        int(kept["metastore-attempts"]),
        kept["metastore-error"],
        died_at,
    )


def value_of(event: RecordedEvent) -> bytes:
    """The event as a record's value."""
    return cloudevents.encode(event)
