"""List and redeliver the dead letters of all consumers."""

import asyncio
from collections.abc import Sequence
from operator import attrgetter

from aiokafka import AIOKafkaConsumer, TopicPartition  # type: ignore[import-untyped]  # the package has no types

from metastore.adapters.event_bus.kafka.errors import broker_errors
from metastore.adapters.event_bus.kafka.producer import Producer
from metastore.adapters.event_bus.kafka.records import dead_event, value_of
from metastore.adapters.event_bus.kafka.topics import Cluster, create_topics
from metastore.ports.event_bus import DeadEvent, Subscription


class DeadLetterTopics:
    """The dead-letter topics of the subscribed consumers. Each call reads them from the beginning."""

    def __init__(self, cluster: Cluster, producer: Producer, subscriptions: Sequence[Subscription]) -> None:
        self._cluster = cluster
        self._producer = producer
        self._subscriptions = subscriptions

    async def latest(self, limit: int, before: str | None) -> list[DeadEvent]:
        """Return at most ``limit`` dead events with ids below ``before``, latest first."""
        listed = [event for event in await self._read_all() if before is None or event.id < before]
        return sorted(listed, key=attrgetter("id"), reverse=True)[:limit]

    async def redeliver(self, dead_id: str) -> bool:
        """Write the event to its consumer's redelivery topic, then a tombstone to its dead-letter topic.

        Returns whether there was such an event. A crash in between leaves it redelivered and still listed.
        """
        dead = next((event for event in await self._read_all() if event.id == dead_id), None)
        if dead is None:
            return False
        consumer, event = dead.consumer, dead.event
        await self._producer.send([(self._cluster.redelivered(consumer), event.aggregate, value_of(event), [])])
        await self._producer.send([(self._cluster.dead(consumer), dead_id, None, [])])
        return True

    async def _read_all(self) -> list[DeadEvent]:
        topics = {TopicPartition(self._cluster.dead(s.consumer), 0): s.consumer for s in self._subscriptions}
        if not topics:
            return []
        found: dict[str, DeadEvent] = {}
        with broker_errors():
            await create_topics(self._cluster, self._subscriptions)
            consumer = AIOKafkaConsumer(bootstrap_servers=self._cluster.servers, enable_auto_commit=False)
            async with asyncio.timeout(self._cluster.request_timeout):
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
