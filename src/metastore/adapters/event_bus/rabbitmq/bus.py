"""The bus itself: its parts put together."""

import asyncio
from collections.abc import Sequence

from metastore.adapters.event_bus.lanes import Pacing
from metastore.adapters.event_bus.rabbitmq.consuming import Consuming
from metastore.adapters.event_bus.rabbitmq.dead_queue import DeadQueues
from metastore.adapters.event_bus.rabbitmq.link import Broker
from metastore.adapters.event_bus.rabbitmq.publisher import Publisher
from metastore.adapters.event_bus.rabbitmq.topology import Names
from metastore.kit.outbox import RecordedEvent
from metastore.ports.event_bus import DeadEvent, Subscription, chosen


class RabbitMqBus:
    """Implements ``EventBus`` on the broker at ``url`` (``amqp://`` or ``amqps://``).

    ``prefix`` begins the name of every exchange and queue; ``link.Broker`` has the meaning of the seconds.
    """

    def __init__(
        self,
        url: str,
        *,
        prefix: str = "metastore",
        pacing: Pacing | None = None,
        answer_within: float = 15.0,
        heartbeat: int = 6,
    ) -> None:
        self._broker = Broker(url, Names(prefix), answer_within, heartbeat)
        self._pacing = pacing or Pacing()
        self._subscriptions: list[Subscription] = []
        self._publisher = Publisher(self._broker, self._subscriptions)
        self._dead_queues = DeadQueues(self._broker, self._subscriptions)

    @property
    def subscriptions(self) -> Sequence[Subscription]:
        """The consumers that are registered."""
        return tuple(self._subscriptions)

    def subscribe(self, subscription: Subscription) -> None:
        """Register a consumer.

        Raises:
            ValueError: there is one of that name.
        """
        if any(subscription.consumer == other.consumer for other in self._subscriptions):
            raise ValueError(f"the consumer {subscription.consumer} is subscribed twice")
        self._subscriptions.append(subscription)

    async def publish(self, events: Sequence[RecordedEvent]) -> None:
        """Publish with confirms; returns when the broker has every event."""
        if events:
            await self._publisher.publish(events)

    async def run(self, only: frozenset[str] | None = None) -> None:
        """Serve the queues until cancelled, reconnecting as often as it takes."""
        served = chosen(self._subscriptions, only)
        async with asyncio.TaskGroup() as tasks:
            for mine in served:
                consuming = Consuming(self._broker, self._subscriptions, mine, self._pacing)
                tasks.create_task(consuming.run(), name=f"consumer {mine.consumer}")
            await asyncio.Event().wait()

    async def dead_events(self, *, limit: int, before: str | None = None) -> list[DeadEvent]:
        """What lies in the dead queues, latest first."""
        return await self._dead_queues.latest(limit, before)

    async def redeliver(self, dead_id: str) -> bool:
        """Move a dead event back to its consumer's queue."""
        return await self._dead_queues.redeliver(dead_id)

    async def check(self) -> None:
        """Ask the broker for the exchange."""
        await self._publisher.check()

    async def aclose(self) -> None:
        """Close the connection."""
        await self._publisher.aclose()
