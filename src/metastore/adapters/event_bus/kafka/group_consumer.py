"""Consume the partitions that are assigned to this member of a consumer group."""

import asyncio
from collections.abc import Sequence

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition  # type: ignore[import-untyped]  # the package has no types

from metastore.adapters.event_bus.dispatcher import Dispatcher
from metastore.adapters.event_bus.kafka.errors import broker_errors
from metastore.adapters.event_bus.kafka.producer import Producer
from metastore.adapters.event_bus.kafka.records import headers_of, value_of
from metastore.adapters.event_bus.kafka.topics import Cluster, create_topics
from metastore.adapters.event_bus.retries import RetryPolicy
from metastore.kit.events import cloudevents
from metastore.kit.events.outbox import RecordedEvent
from metastore.kit.ids import new_id
from metastore.kit.waiting import backoff
from metastore.ports.event_bus import BusUnavailableError, Subscription

_log = structlog.get_logger(__name__)

MAX_UNSETTLED = 500
"""Maximum number of unsettled events in a process, including those that wait for a retry."""
MAX_RECONNECT_DELAY = 5.0
"""Seconds."""
_POLL_MS = 100

Position = tuple[TopicPartition, int]
"""A partition and the offset of a record in it."""


class OffsetTracker:
    """Tracks unsettled offsets by partition. Only offsets below the first unsettled one may be committed."""

    def __init__(self) -> None:
        self._open: dict[TopicPartition, set[int]] = {}
        self._next: dict[TopicPartition, int] = {}
        self._committed: dict[TopicPartition, int] = {}

    @property
    def unsettled(self) -> int:
        """Number of delivered events that are not settled yet."""
        return sum(map(len, self._open.values()))

    def delivered(self, position: Position) -> None:
        """Record that an event was delivered."""
        partition, offset = position
        self._open.setdefault(partition, set()).add(offset)
        self._next[partition] = max(self._next.get(partition, 0), offset + 1)

    def settled(self, position: Position) -> None:
        """Record that an event was handled or dead-lettered."""
        self._open.get(position[0], set()).discard(position[1])

    def to_commit(self) -> dict[TopicPartition, int]:
        """Return the offsets that advanced since the last call."""
        positions = {partition: min(self._open[partition], default=self._next[partition]) for partition in self._next}
        advanced = {partition: at for partition, at in positions.items() if self._committed.get(partition) != at}
        self._committed |= advanced
        return advanced


class GroupConsumer(ConsumerRebalanceListener):  # type: ignore[misc]  # the package has no types
    """Delivers events to one consumer as a member of its group."""

    def __init__(
        self,
        cluster: Cluster,
        producer: Producer,
        subscriptions: Sequence[Subscription],
        subscription: Subscription,
        retry_policy: RetryPolicy,
    ) -> None:
        self._cluster = cluster
        self._producer = producer
        self._subscriptions = subscriptions
        self._subscription = subscription
        self._retry_policy = retry_policy
        self._failures = 0
        self._reset()

    async def run(self) -> None:
        """Deliver events until cancelled, reconnecting after every failure."""
        while True:
            try:
                with broker_errors():
                    await self._consume()
            except BusUnavailableError as error:
                self._failures += 1
                _log.warning("consumer group unavailable", consumer=self._subscription.consumer, error=str(error))
                await asyncio.sleep(backoff(self._failures, MAX_RECONNECT_DELAY))

    async def on_partitions_revoked(self, revoked: object) -> None:
        """Drop unsettled deliveries; their partitions now belong to another process."""
        await self._dispatcher.aclose()

    async def on_partitions_assigned(self, assigned: object) -> None:
        """Start again from the group's committed offsets."""
        self._reset()

    def _reset(self) -> None:
        self._offsets = OffsetTracker()
        self._dispatcher: Dispatcher[Position] = Dispatcher(
            self._subscription, self._retry_policy, settle=self._settle, dead_letter=self._dead_letter
        )

    async def _consume(self) -> None:
        await create_topics(self._cluster, self._subscriptions)
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._cluster.servers,
            group_id=self._cluster.group(self._subscription.consumer),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=int(self._cluster.session_timeout * 1000),
            heartbeat_interval_ms=int(self._cluster.session_timeout * 300),
        )
        consumer.subscribe(
            [self._cluster.events, self._cluster.redelivered(self._subscription.consumer)], listener=self
        )
        try:
            async with asyncio.timeout(self._cluster.request_timeout):
                await consumer.start()
            self._failures = 0
            while True:
                await self._poll(consumer)
        finally:
            await self._dispatcher.aclose()
            await asyncio.shield(consumer.stop())

    async def _poll(self, consumer: AIOKafkaConsumer) -> None:
        if self._dispatcher.failed.done():
            self._dispatcher.failed.result()
        room = MAX_UNSETTLED - self._offsets.unsettled
        if room > 0:
            for partition, records in (await consumer.getmany(timeout_ms=_POLL_MS, max_records=room)).items():
                for record in records:
                    await self._receive((partition, record.offset), record.value or b"")
        else:
            await asyncio.sleep(_POLL_MS / 1000)
        offsets = self._offsets.to_commit()
        if offsets:
            await consumer.commit(offsets)

    async def _receive(self, position: Position, value: bytes) -> None:
        self._offsets.delivered(position)
        try:
            self._dispatcher.add(position, cloudevents.decode(value))
        except cloudevents.NotAnEventError as error:
            # The product writes no such record. Skip it: an unsettled offset would block the group forever.
            _log.warning(
                "skipped a record that is not an event", consumer=self._subscription.consumer, error=str(error)
            )
            self._offsets.settled(position)

    async def _settle(self, position: Position) -> None:
        self._offsets.settled(position)

    async def _dead_letter(self, position: Position, event: RecordedEvent, attempts: int, error: str) -> None:
        topic = self._cluster.dead(self._subscription.consumer)
        await self._producer.send([(topic, new_id(), value_of(event), headers_of(attempts, error))])
        self._offsets.settled(position)
