"""API shapes of dead events."""

from pydantic import JsonValue

from metastore.kit.api.schema import Schema, Timestamp


class DeadEventOut(Schema):
    """An event that ``consumer`` failed on ``attempts`` times, the last time with ``error``.

    ``id`` identifies the dead letter. ``event_id``, ``type``, ``aggregate`` (its subject, as ``kind:id``),
    ``occurred_at`` and ``payload`` belong to the event.
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
