"""``KafkaBus``, the ``EventBus`` implementation on Kafka."""

import asyncio
from collections.abc import Sequence
from urllib.parse import urlsplit

from metastore.adapters.event_bus.kafka.dead_letter_topics import DeadLetterTopics
from metastore.adapters.event_bus.kafka.group_consumer import GroupConsumer
from metastore.adapters.event_bus.kafka.producer import Producer
from metastore.adapters.event_bus.kafka.records import value_of
from metastore.adapters.event_bus.kafka.topics import Cluster
from metastore.adapters.event_bus.retries import RetryPolicy
from metastore.kit.events.outbox import RecordedEvent
from metastore.ports.event_bus import DeadEvent, Subscription, select_subscriptions


class KafkaBus:
    """``EventBus`` on the cluster at ``url`` (``kafka://host:port,host:port``).

    The names of all topics and groups start with ``prefix``. ``topics.Cluster`` documents the timeouts.
    """

    def __init__(
        self,
        url: str,
        *,
        prefix: str = "metastore",
        retry_policy: RetryPolicy | None = None,
        request_timeout: float = 15.0,
        session_timeout: float = 10.0,
    ) -> None:
        self._cluster = Cluster(urlsplit(url).netloc, prefix, request_timeout, session_timeout)
        self._retry_policy = retry_policy or RetryPolicy()
        self._subscriptions: list[Subscription] = []
        self._producer = Producer(self._cluster, self._subscriptions)
        self._dead_letters = DeadLetterTopics(self._cluster, self._producer, self._subscriptions)

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
        """Write the events and return once the brokers have acknowledged all of them."""
        if events:
            await self._producer.send(
                [(self._cluster.events, event.aggregate, value_of(event), []) for event in events]
            )

    async def run(self, only: frozenset[str] | None = None) -> None:
        """Deliver events until cancelled, reconnecting after every failure."""
        served = select_subscriptions(self._subscriptions, only)
        async with asyncio.TaskGroup() as tasks:
            for subscription in served:
                consumer = GroupConsumer(
                    self._cluster, self._producer, self._subscriptions, subscription, self._retry_policy
                )
                tasks.create_task(consumer.run(), name=f"consumer {subscription.consumer}")
            await asyncio.Event().wait()

    async def dead_events(self, *, limit: int, before: str | None = None) -> list[DeadEvent]:
        """Return the events in the dead-letter topics, latest first."""
        return await self._dead_letters.latest(limit, before)

    async def redeliver(self, dead_id: str) -> bool:
        """Write a dead event to its consumer's redelivery topic."""
        return await self._dead_letters.redeliver(dead_id)

    async def check(self) -> None:
        """Check that the cluster responds and has our topics."""
        await self._producer.check()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._producer.aclose()
