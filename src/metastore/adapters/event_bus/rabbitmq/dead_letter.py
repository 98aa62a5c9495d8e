"""Publish dead letters to, and decode them from, a consumer's dead-letter queue.

The message body is the event. Its headers are ``metastore-dead-id``, ``metastore-attempts``, ``metastore-error`` and
``metastore-died-at`` (RFC 3339). A message that the broker itself dead-lettered at its delivery limit has none of
these; its id is derived from the broker's own ``x-death`` header, so that it is the same in every listing.
"""

import asyncio
import hashlib
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

from aiormq import Channel
from aiormq.abc import DeliveredMessage
from pamqp import commands as amqp
from pamqp.common import FieldTable

from metastore.adapters.event_bus.rabbitmq.connection import Broker
from metastore.adapters.event_bus.rabbitmq.publisher import PERSISTENT
from metastore.adapters.event_bus.rabbitmq.topology import DELIVERY_LIMIT
from metastore.kit.clock import rfc3339, utc_now
from metastore.kit.events import cloudevents
from metastore.kit.events.outbox import RecordedEvent
from metastore.kit.ids import new_id
from metastore.ports.event_bus import DeadEvent

ID, ATTEMPTS, ERROR, DIED_AT = "metastore-dead-id", "metastore-attempts", "metastore-error", "metastore-died-at"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message to dead-letter, and the number of attempts that failed."""

    consumer: str
    body: bytes
    message_id: str | None
    attempts: int


async def publish_dead_letter(channel: Channel, broker: Broker, letter: DeadLetter, error: str) -> None:
    """Publish to the consumer's dead-letter queue and return once the broker has confirmed it."""
    headers: FieldTable = {
        ID: new_id(),
        ATTEMPTS: letter.attempts,
        ERROR: error,
        DIED_AT: rfc3339(utc_now()),
    }
    async with asyncio.timeout(broker.request_timeout):
        await channel.basic_publish(
            letter.body,
            exchange=broker.names.dead_exchange,
            routing_key=letter.consumer,
            mandatory=True,
            properties=amqp.Basic.Properties(
                content_type=cloudevents.CONTENT_TYPE,
                delivery_mode=PERSISTENT,
                message_id=letter.message_id,
                headers=headers,
            ),
            wait=False,
        )


def read_dead_letter(consumer: str, message: DeliveredMessage) -> DeadEvent:
    """Decode a message of the consumer's dead-letter queue.

    A body that is not an event is returned as the payload of an event of type ``unknown``.
    """
    event = _event_of(message)
    headers = message.header.properties.headers or {}
    if ID in headers:
        died_at = datetime.fromisoformat(str(headers[DIED_AT]))
        return DeadEvent(str(headers[ID]), consumer, event, int(str(headers[ATTEMPTS])), str(headers[ERROR]), died_at)
    died_at = _dead_lettered_by_broker_at(headers)
    error = f"delivered {DELIVERY_LIMIT} times and never settled: its worker crashed or lost its connection each time"
    return DeadEvent(_id_at(died_at, f"{consumer} {event.id}"), consumer, event, DELIVERY_LIMIT, error, died_at)


def _event_of(message: DeliveredMessage) -> RecordedEvent:
    try:
        return cloudevents.decode(message.body)
    except cloudevents.NotAnEventError:
        body = message.body.decode(errors="replace")
        event_id = str(uuid.UUID(bytes=hashlib.sha256(message.body).digest()[:16]))
        return RecordedEvent(event_id, "unknown", "unknown", {"body": body}, {}, datetime.fromtimestamp(0, UTC))


def _dead_lettered_by_broker_at(headers: FieldTable) -> datetime:
    deaths = headers.get("x-death")
    first = deaths[0] if isinstance(deaths, list) and deaths else {}
    moment = first.get("time") if isinstance(first, dict) else None
    return moment.astimezone(UTC) if isinstance(moment, datetime) else datetime.fromtimestamp(0, UTC)


def _id_at(moment: datetime, seed: str) -> str:
    """Return a UUIDv7 with that timestamp, the rest of it derived from ``seed``."""
    milliseconds = int(moment.timestamp() * 1000).to_bytes(6, "big")
    rest = bytearray(hashlib.sha256(seed.encode()).digest()[:10])
    rest[0] = 0x70 | rest[0] & 0x0F
    rest[2] = 0x80 | rest[2] & 0x3F
    return str(uuid.UUID(bytes=milliseconds + bytes(rest)))
