"""The bus itself: its parts put together."""

import asyncio
from collections.abc import Sequence
from urllib.parse import urlsplit

from metastore.adapters.event_bus.kafka.consuming import Consuming
from metastore.adapters.event_bus.kafka.dead_topic import DeadTopics
from metastore.adapters.event_bus.kafka.records import value_of
from metastore.adapters.event_bus.kafka.sender import Sender
from metastore.adapters.event_bus.kafka.topics import Cluster
from metastore.adapters.event_bus.lanes import Pacing
from metastore.kit.outbox import RecordedEvent
from metastore.ports.event_bus import DeadEvent, Subscription, chosen


class KafkaBus:
    """Implements ``EventBus`` on the cluster at ``url`` (``kafka://host:port,host:port``).

    ``prefix`` begins the name of every topic and group; ``topics.Cluster`` has the meaning of the seconds.
    """

    def __init__(
        self,
        url: str,
        *,
        prefix: str = "metastore",
        pacing: Pacing | None = None,
        answer_within: float = 15.0,
        session: float = 10.0,
    ) -> None:
        self._cluster = Cluster(urlsplit(url).netloc, prefix, answer_within, session)
        self._pacing = pacing or Pacing()
        self._subscriptions: list[Subscription] = []
        self._sender = Sender(self._cluster, self._subscriptions)
        self._dead_topics = DeadTopics(self._cluster, self._sender, self._subscriptions)

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
        """Write the events; returns when the brokers have every one."""
        if events:
            await self._sender.send([(self._cluster.events, event.aggregate, value_of(event), []) for event in events])

    async def run(self, only: frozenset[str] | None = None) -> None:
        """Serve the groups until cancelled, reconnecting as often as it takes."""
        served = chosen(self._subscriptions, only)
        async with asyncio.TaskGroup() as tasks:
            for mine in served:
                consuming = Consuming(self._cluster, self._sender, self._subscriptions, mine, self._pacing)
                tasks.create_task(consuming.run(), name=f"consumer {mine.consumer}")
            await asyncio.Event().wait()

    async def dead_events(self, *, limit: int, before: str | None = None) -> list[DeadEvent]:
        """What lies in the dead topics, latest first."""
        return await self._dead_topics.latest(limit, before)

    async def redeliver(self, dead_id: str) -> bool:
        """Write a dead event for its consumer again."""
        return await self._dead_topics.redeliver(dead_id)

    async def check(self) -> None:
        """Ask the cluster for its topics."""
        await self._sender.check()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._sender.aclose()
