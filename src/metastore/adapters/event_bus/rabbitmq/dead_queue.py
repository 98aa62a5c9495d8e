"""Looking at dead events and bringing one back."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from operator import attrgetter

from aiormq import Channel
from aiormq.abc import DeliveredMessage

from metastore.adapters.event_bus.rabbitmq.burial import exhumed
from metastore.adapters.event_bus.rabbitmq.link import Broker, Link, linked
from metastore.adapters.event_bus.rabbitmq.locking import locked, open_channel
from metastore.adapters.event_bus.rabbitmq.publisher import properties
from metastore.ports.event_bus import DeadEvent, Subscription

PEEK = 2000
"""Dead events of one consumer that are looked at: the oldest."""
_AT_A_TIME = 100
"""Of them are read before others on the event loop have their turn."""
_WITHIN = 20.0
_LOCKED_FOR = 10.0
_SETTLED_WITHIN = 2.0


class DeadQueues:
    """The dead queues of these consumers."""

    def __init__(self, broker: Broker, subscriptions: Sequence[Subscription]) -> None:
        self._broker = broker
        self._names = broker.names
        self._subscriptions = subscriptions

    async def latest(self, limit: int, before: str | None) -> list[DeadEvent]:
        """Dead events, latest first."""
        found: dict[tuple[str, str], DeadEvent] = {}
        async with self._looking() as link:
            for subscription in self._subscriptions:
                for dead in await self._peek(link, subscription.consumer):
                    found.setdefault((dead.consumer, dead.event.id), dead)
        listed = (dead for dead in found.values() if before is None or dead.id < before)
        return sorted(listed, key=attrgetter("id"), reverse=True)[:limit]

    async def redeliver(self, dead_id: str) -> bool:
        """Move the dead event of that id to the end of its consumer's queue."""
        async with self._looking() as link:
            for subscription in self._subscriptions:
                if await self._move(link, subscription.consumer, dead_id):
                    return True
        return False

    @asynccontextmanager
    async def _looking(self) -> AsyncIterator[Link]:
        async with (
            linked(self._broker, self._subscriptions) as link,
            asyncio.timeout(_WITHIN),
            locked(link.connection, self._names.lock, _LOCKED_FOR),
        ):
            yield link

    async def _peek(self, link: Link, consumer: str) -> list[DeadEvent]:
        channel = await open_channel(link.connection)
        count = await _ready(channel, self._names.dead(consumer))
        messages = await _take(channel, self._names.dead(consumer), min(count, PEEK))
        await self._give_back(channel, consumer, messages, count)
        return await _read(consumer, messages)

    async def _move(self, link: Link, consumer: str, dead_id: str) -> bool:
        channel = await open_channel(link.connection)
        queue = self._names.dead(consumer)
        count = await _ready(channel, queue)
        messages = await _take(channel, queue, min(count, PEEK))
        dead_events = await _read(consumer, messages)
        wanted = next((dead for dead in dead_events if dead.id == dead_id), None)
        copies = []
        if wanted is not None:
            # Copied as it is: what is no event comes back here instead of turning into another message.
            body = messages[dead_events.index(wanted)].body
            await channel.basic_publish(
                body,
                routing_key=self._names.queue(consumer),
                mandatory=True,
                properties=properties(wanted.event),
                wait=False,
            )
            # Killed between burying and acknowledging, a worker leaves two of one event.
            copies = [
                message for dead, message in zip(dead_events, messages, strict=True) if dead.event.id == wanted.event.id
            ]
            for message in copies:
                await channel.basic_ack(message.delivery_tag or 0, wait=False)
        await self._give_back(channel, consumer, messages, count - len(copies))
        return wanted is not None

    async def _give_back(self, channel: Channel, consumer: str, messages: list[DeliveredMessage], count: int) -> None:
        """Return what is not acknowledged, and wait until it can be taken again."""
        if messages:
            await channel.basic_nack(0, multiple=True, requeue=True, wait=False)
        deadline = asyncio.get_running_loop().time() + _SETTLED_WITHIN
        while await _ready(channel, self._names.dead(consumer)) < count:
            if asyncio.get_running_loop().time() > deadline:
                return
            await asyncio.sleep(0.01)
        await channel.close()


async def _read(consumer: str, messages: Sequence[DeliveredMessage]) -> list[DeadEvent]:
    dead_events: list[DeadEvent] = []
    for start in range(0, len(messages), _AT_A_TIME):
        dead_events += [exhumed(consumer, message) for message in messages[start : start + _AT_A_TIME]]
        await asyncio.sleep(0)
    return dead_events


async def _ready(channel: Channel, queue: str) -> int:
    return (await channel.queue_declare(queue, passive=True)).message_count or 0


async def _take(channel: Channel, queue: str, count: int) -> list[DeliveredMessage]:
    if not count:
        return []
    taken: list[DeliveredMessage] = []
    all_here = asyncio.Event()

    async def on_message(message: DeliveredMessage) -> None:
        taken.append(message)
        if len(taken) >= count:
            all_here.set()

    await channel.basic_qos(prefetch_count=count)
    tag = (await channel.basic_consume(queue, on_message)).consumer_tag
    try:
        async with asyncio.timeout(_SETTLED_WITHIN):
            await all_here.wait()
    except TimeoutError:
        pass  # some have vanished meanwhile: the count was of a moment ago
    await channel.basic_cancel(tag or "")
    return taken
