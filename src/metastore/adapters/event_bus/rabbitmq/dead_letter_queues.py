"""List and redeliver the dead letters of all consumers.

RabbitMQ cannot list the messages of a queue. They are consumed without an acknowledgement and requeued, under a lock so
that concurrent listings do not take messages from each other.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from operator import attrgetter

from aiormq import Channel
from aiormq.abc import DeliveredMessage

from metastore.adapters.event_bus.rabbitmq.broker_lock import broker_lock, open_channel
from metastore.adapters.event_bus.rabbitmq.connection import Broker, BrokerConnection, connected
from metastore.adapters.event_bus.rabbitmq.dead_letter import read_dead_letter
from metastore.adapters.event_bus.rabbitmq.publisher import properties
from metastore.ports.event_bus import DeadEvent, Subscription

LISTING_LIMIT = 2000
"""Maximum number of dead letters read for each consumer, oldest first."""
_DECODE_BATCH = 100
"""Messages to decode before yielding to the event loop."""
_LISTING_TIMEOUT = 20.0
_LOCK_TIMEOUT = 10.0
_SETTLE_TIMEOUT = 2.0


class DeadLetterQueues:
    """The dead-letter queues of the subscribed consumers."""

    def __init__(self, broker: Broker, subscriptions: Sequence[Subscription]) -> None:
        self._broker = broker
        self._names = broker.names
        self._subscriptions = subscriptions

    async def latest(self, limit: int, before: str | None) -> list[DeadEvent]:
        """Return at most ``limit`` dead events with ids below ``before``, latest first."""
        found: dict[tuple[str, str], DeadEvent] = {}
        async with self._locked() as connection:
            for subscription in self._subscriptions:
                for dead in await self._list(connection, subscription.consumer):
                    found.setdefault((dead.consumer, dead.event.id), dead)
        listed = (dead for dead in found.values() if before is None or dead.id < before)
        return sorted(listed, key=attrgetter("id"), reverse=True)[:limit]

    async def redeliver(self, dead_id: str) -> bool:
        """Move a dead event to the end of its consumer's queue; return whether there was such an event."""
        async with self._locked() as connection:
            for subscription in self._subscriptions:
                if await self._redeliver_to(connection, subscription.consumer, dead_id):
                    return True
        return False

    @asynccontextmanager
    async def _locked(self) -> AsyncIterator[BrokerConnection]:
        async with (
            connected(self._broker, self._subscriptions) as connection,
            asyncio.timeout(_LISTING_TIMEOUT),
            broker_lock(connection.transport, self._names.lock, _LOCK_TIMEOUT),
        ):
            yield connection

    async def _list(self, connection: BrokerConnection, consumer: str) -> list[DeadEvent]:
        channel = await open_channel(connection.transport)
        count = await _message_count(channel, self._names.dead(consumer))
        messages = await _consume(channel, self._names.dead(consumer), min(count, LISTING_LIMIT))
        await self._requeue(channel, consumer, messages, count)
        return await _decode(consumer, messages)

    async def _redeliver_to(self, connection: BrokerConnection, consumer: str, dead_id: str) -> bool:
        channel = await open_channel(connection.transport)
        queue = self._names.dead(consumer)
        count = await _message_count(channel, queue)
        messages = await _consume(channel, queue, min(count, LISTING_LIMIT))
        dead_events = await _decode(consumer, messages)
        selected = next((dead for dead in dead_events if dead.id == dead_id), None)
        copies = []
        if selected is not None:
            # Copy the body unchanged: one that is not an event is dead-lettered again, not altered.
            body = messages[dead_events.index(selected)].body
            await channel.basic_publish(
                body,
                routing_key=self._names.queue(consumer),
                mandatory=True,
                properties=properties(selected.event),
                wait=False,
            )
            # A worker that was killed between dead-lettering and acknowledging leaves a duplicate.
            copies = [
                message
                for dead, message in zip(dead_events, messages, strict=True)
                if dead.event.id == selected.event.id
            ]
            for message in copies:
                await channel.basic_ack(message.delivery_tag or 0, wait=False)
        await self._requeue(channel, consumer, messages, count - len(copies))
        return selected is not None

    async def _requeue(self, channel: Channel, consumer: str, messages: list[DeliveredMessage], count: int) -> None:
        """Requeue the unacknowledged messages and wait until the queue has ``count`` ready again."""
        if messages:
            await channel.basic_nack(0, multiple=True, requeue=True, wait=False)
        deadline = asyncio.get_running_loop().time() + _SETTLE_TIMEOUT
        while await _message_count(channel, self._names.dead(consumer)) < count:
            if asyncio.get_running_loop().time() > deadline:
                return
            await asyncio.sleep(0.01)
        await channel.close()


async def _decode(consumer: str, messages: Sequence[DeliveredMessage]) -> list[DeadEvent]:
    dead_events: list[DeadEvent] = []
    for start in range(0, len(messages), _DECODE_BATCH):
        dead_events += [read_dead_letter(consumer, message) for message in messages[start : start + _DECODE_BATCH]]
        await asyncio.sleep(0)
    return dead_events


async def _message_count(channel: Channel, queue: str) -> int:
    return (await channel.queue_declare(queue, passive=True)).message_count or 0


async def _consume(channel: Channel, queue: str, count: int) -> list[DeliveredMessage]:
    if not count:
        return []
    received: list[DeliveredMessage] = []
    complete = asyncio.Event()

    async def on_message(message: DeliveredMessage) -> None:
        received.append(message)
        if len(received) >= count:
            complete.set()

    await channel.basic_qos(prefetch_count=count)
    tag = (await channel.basic_consume(queue, on_message)).consumer_tag
    try:
        async with asyncio.timeout(_SETTLE_TIMEOUT):
            await complete.wait()
    except TimeoutError:
        pass  # The count is out of date: some were removed meanwhile.
    await channel.basic_cancel(tag or "")
    return received
