"""Looking at dead events and bringing one back."""

import asyncio
from collections.abc import Sequence
from operator import attrgetter

from aiokafka import AIOKafkaConsumer, TopicPartition  # type: ignore[import-untyped]  # the package has no types

from metastore.adapters.event_bus.kafka.faults import broker_faults
from metastore.adapters.event_bus.kafka.records import dead_event, value_of
from metastore.adapters.event_bus.kafka.sender import Sender
from metastore.adapters.event_bus.kafka.topics import Cluster, create_topics
from metastore.ports.event_bus import DeadEvent, Subscription


class DeadTopics:
    """The dead topics of these consumers; each is read from its beginning, whenever somebody looks."""

    def __init__(self, cluster: Cluster, sender: Sender, subscriptions: Sequence[Subscription]) -> None:
        self._cluster = cluster
        self._sender = sender
        self._subscriptions = subscriptions

    async def latest(self, limit: int, before: str | None) -> list[DeadEvent]:
        """Dead events, latest first."""
        dead = [event for event in await self._all() if before is None or event.id < before]
        return sorted(dead, key=attrgetter("id"), reverse=True)[:limit]

    async def redeliver(self, dead_id: str) -> bool:
        """Write the event for its consumer again, then that it is dead no more."""
        wanted = next((event for event in await self._all() if event.id == dead_id), None)
        if wanted is None:
            return False
        again, dead = self._cluster.again(wanted.consumer), self._cluster.dead(wanted.consumer)
        await self._sender.send([(again, wanted.event.aggregate, value_of(wanted.event), [])])
        await self._sender.send([(dead, dead_id, None, [])])
        return True

    async def _all(self) -> list[DeadEvent]:
        topics = {TopicPartition(self._cluster.dead(s.consumer), 0): s.consumer for s in self._subscriptions}
        if not topics:
            return []
        found: dict[str, DeadEvent] = {}
        with broker_faults():
            await create_topics(self._cluster, self._subscriptions)
            consumer = AIOKafkaConsumer(bootstrap_servers=self._cluster.servers, enable_auto_commit=False)
            async with asyncio.timeout(self._cluster.answer_within):
                await consumer.start()
                try:
                    consumer.assign(list(topics))
                    await consumer.seek_to_beginning()
                    await self._read(consumer, topics, found)
                finally:
                    await consumer.stop()
        return list(found.values())

    async def _read(
        self, consumer: AIOKafkaConsumer, topics: dict[TopicPartition, str], found: dict[str, DeadEvent]
    ) -> None:
        ends = await consumer.end_offsets(list(topics))
        unread = {partition for partition, end in ends.items() if end > 0}
        while unread:
            for partition, records in (await consumer.getmany(*unread, timeout_ms=100)).items():
                for record in records:
                    dead_id = (record.key or b"").decode()
                    if record.value:
                        found[dead_id] = dead_event(topics[partition], dead_id, record.value, record.headers)
                    else:
                        found.pop(dead_id, None)
            unread = {partition for partition in unread if await consumer.position(partition) < ends[partition]}
