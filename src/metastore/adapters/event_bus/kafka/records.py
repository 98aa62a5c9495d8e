"""Encode events and dead letters as Kafka records.

A record's value is the event as CloudEvents JSON. The headers of a dead letter are ``metastore-attempts``,
``metastore-error`` and ``metastore-died-at`` (RFC 3339).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from metastore.kit.clock import rfc3339, utc_now
from metastore.kit.events import cloudevents
from metastore.kit.events.outbox import RecordedEvent
from metastore.ports.event_bus import DeadEvent

Headers = Sequence[tuple[str, bytes]]


class Record(Protocol):
    """The fields of a consumed record that are read here."""

    key: bytes | None
    value: bytes | None
    headers: Headers


def headers_of(attempts: int, error: str) -> Headers:
    """Return the headers of a dead letter."""
    return [
        ("metastore-attempts", str(attempts).encode()),
        ("metastore-error", error.encode(errors="replace")),
        ("metastore-died-at", rfc3339(utc_now()).encode()),
    ]


def dead_event(consumer: str, dead_id: str, value: bytes, headers: Headers) -> DeadEvent:
    """Decode a record of a dead-letter topic."""
    fields = {name: content.decode(errors="replace") for name, content in headers}
    died_at = datetime.fromisoformat(fields["metastore-died-at"])
    return DeadEvent(
        dead_id,
        consumer,
        cloudevents.decode(value),
        int(fields["metastore-attempts"]),
        fields["metastore-error"],
        died_at,
    )


def value_of(event: RecordedEvent) -> bytes:
    """Encode an event as a record's value."""
    return cloudevents.encode(event)
