"""API shapes of dead events."""

from pydantic import JsonValue

from metastore.kit.schema import Schema, Timestamp


class DeadEventOut(Schema):
    """An event that ``consumer`` failed on ``attempts`` times, the last time with ``error``.

    ``id`` is that of this failure; ``event_id``, ``type``, ``aggregate`` (what it is about, as ``kind:id``),
    ``occurred_at`` and ``payload`` are the event's.
    """

    id: str
    consumer: str
    event_id: str
    type: str
    aggregate: str
    attempts: int
    error: str
    died_at: Timestamp
    occurred_at: Timestamp
    payload: dict[str, JsonValue]
