"""Find pending deletions: events that delete objects and may not be handled yet."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import JsonValue
from sqlalchemy import JSON, DateTime, column, func, or_, select, table

from metastore.kit.database.unit_of_work import Database
from metastore.kit.events.outbox import PENDING, OutboxEvent
from metastore.kit.events.positions import ConsumerPosition

_DELETING_EVENTS = ("file.purged", "upload.aborted", "media.dropped")
_DELETING_CONSUMERS = ("files", "media", "uploads")
_QUEUED = table(
    "queued_events",
    column("id"),
    column("event_type"),
    column("payload", JSON()),
    column("dead_at", DateTime()),
)


async def is_deletion_pending(database: Database, name: str, since: datetime) -> bool:
    """Return whether a pending event deletes the object or file ``name``.

    These are the unpublished and queued events, those that a consumer has yet to come to, and all that were recorded
    after ``since``.
    """
    slowest = select(func.min(ConsumerPosition.position)).where(ConsumerPosition.consumer.in_(_DELETING_CONSUMERS))
    recent = or_(
        OutboxEvent.status == PENDING,
        OutboxEvent.created_at > since,
        OutboxEvent.position > slowest.scalar_subquery(),
    )
    outbox = select(OutboxEvent.payload).where(OutboxEvent.event_type.in_(_DELETING_EVENTS), recent)
    queued = select(_QUEUED.c.payload).where(_QUEUED.c.event_type.in_(_DELETING_EVENTS), _QUEUED.c.dead_at.is_(None))
    async with database.reading() as tx:
        for statement in (outbox, queued):
            payloads = await tx.session.stream_scalars(statement)
            async for payload in payloads:
                if _deletes(payload, name):
                    await payloads.close()
                    return True
    return False


def _deletes(payload: Mapping[str, JsonValue], name: str) -> bool:
    object_key = payload.get("objectKey")
    is_below = isinstance(object_key, str) and name.startswith(f"{object_key}/")
    renditions, keys = payload.get("renditions"), payload.get("objectKeys")
    is_of_rendition = isinstance(renditions, dict) and name.rpartition("/")[0] in renditions
    is_named = isinstance(keys, list) and name in keys
    return is_below or is_of_rendition or is_named or name in (object_key, payload.get("fileId"))
