"""``RabbitMqBus``, the ``EventBus`` implementation on RabbitMQ."""

import asyncio
from collections.abc import Sequence

from metastore.adapters.event_bus.rabbitmq.connection import Broker
from metastore.adapters.event_bus.rabbitmq.dead_letter_queues import DeadLetterQueues
from metastore.adapters.event_bus.rabbitmq.publisher import Publisher
from metastore.adapters.event_bus.rabbitmq.queue_consumer import QueueConsumer
from metastore.adapters.event_bus.rabbitmq.topology import Names
from metastore.adapters.event_bus.retries import RetryPolicy
from metastore.kit.events.outbox import RecordedEvent
from metastore.ports.event_bus import DeadEvent, Subscription, select_subscriptions


class RabbitMqBus:
    """``EventBus`` on the broker at ``url`` (``amqp://`` or ``amqps://``).

    The names of all exchanges and queues start with ``prefix``. ``connection.Broker`` documents the timeouts.
    """

    def __init__(
        self,
        url: str,
        *,
        prefix: str = "metastore",
        retry_policy: RetryPolicy | None = None,
        request_timeout: float = 15.0,
        heartbeat: int = 6,
    ) -> None:
        self._broker = Broker(url, Names(prefix), request_timeout, heartbeat)
        self._retry_policy = retry_policy or RetryPolicy()
        self._subscriptions: list[Subscription] = []
        self._publisher = Publisher(self._broker, self._subscriptions)
        self._dead_letters = DeadLetterQueues(self._broker, self._subscriptions)

    @property
    def subscriptions(self) -> Sequence[Subscription]:
        """The registered consumers."""
        return tuple(self._subscriptions)

    @property
    def marks_published(self) -> bool:
        """The relay marks what the broker has confirmed."""
        return False

    def subscribe(self, subscription: Subscription) -> None:
        """Register a consumer.

        Raises:
            ValueError: a consumer of that name is already registered.
        """
        if any(subscription.consumer == other.consumer for other in self._subscriptions):
            raise ValueError(f"consumer {subscription.consumer} is already subscribed")
        self._subscriptions.append(subscription)

    async def publish(self, events: Sequence[RecordedEvent]) -> None:
        """Publish the events and return once the broker has confirmed all of them."""
        if events:
            await self._publisher.publish(events)

    async def run(self, only: frozenset[str] | None = None) -> None:
        """Deliver events until cancelled, reconnecting after every failure."""
        served = select_subscriptions(self._subscriptions, only)
        async with asyncio.TaskGroup() as tasks:
            for subscription in served:
                consumer = QueueConsumer(self._broker, self._subscriptions, subscription, self._retry_policy)
                tasks.create_task(consumer.run(), name=f"consumer {subscription.consumer}")
            await asyncio.Event().wait()

    async def dead_events(self, *, limit: int, before: str | None = None) -> list[DeadEvent]:
        """Return the events in the dead-letter queues, latest first."""
        return await self._dead_letters.latest(limit, before)

    async def redeliver(self, dead_id: str) -> bool:
        """Move a dead event back to its consumer's queue."""
        return await self._dead_letters.redeliver(dead_id)

    async def check(self) -> None:
        """Check that the broker responds and has our exchange."""
        await self._publisher.check()

    async def aclose(self) -> None:
        """Close the connection."""
        await self._publisher.aclose()
