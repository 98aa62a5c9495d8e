"""Serving one consumer: its group's share of the partitions."""

import asyncio
from collections.abc import Sequence

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition  # type: ignore[import-untyped]  # the package has no types

from metastore.adapters.event_bus.kafka.faults import broker_faults
from metastore.adapters.event_bus.kafka.records import headers_of, value_of
from metastore.adapters.event_bus.kafka.sender import Sender
from metastore.adapters.event_bus.kafka.topics import Cluster, create_topics
from metastore.adapters.event_bus.lanes import Lanes, Pacing
from metastore.kit import cloudevents
from metastore.kit.ids import new_id
from metastore.kit.outbox import RecordedEvent
from metastore.ports.event_bus import BusUnavailableError, Subscription

_log = structlog.get_logger(__name__)

IN_HAND = 500
"""Events that a process holds at most; what waits for its next try counts among them, and what is behind it."""
LONGEST_PAUSE = 5.0
_LOOK_EVERY_MS = 100

Place = tuple[TopicPartition, int]


class Progress:
    """Which offsets are done with, by partition; what may be committed is below the first that is not."""

    def __init__(self) -> None:
        self._open: dict[TopicPartition, set[int]] = {}
        self._next: dict[TopicPartition, int] = {}
        self._committed: dict[TopicPartition, int] = {}

    @property
    def in_hand(self) -> int:
        """How many are taken and not done with."""
        return sum(map(len, self._open.values()))

    def taken(self, place: Place) -> None:
        """Note an event that was delivered."""
        partition, offset = place
        self._open.setdefault(partition, set()).add(offset)
        self._next[partition] = max(self._next.get(partition, 0), offset + 1)

    def done(self, place: Place) -> None:
        """Note that it is done with."""
        self._open.get(place[0], set()).discard(place[1])

    def to_commit(self) -> dict[TopicPartition, int]:
        """Offsets that have moved on since the last time."""
        reached = {partition: min(self._open[partition], default=self._next[partition]) for partition in self._next}
        moved = {partition: at for partition, at in reached.items() if self._committed.get(partition) != at}
        self._committed |= moved
        return moved


class Consuming(ConsumerRebalanceListener):  # type: ignore[misc]  # the package has no types
    """Delivers one consumer's events."""

    def __init__(
        self,
        cluster: Cluster,
        sender: Sender,
        subscriptions: Sequence[Subscription],
        mine: Subscription,
        pacing: Pacing,
    ) -> None:
        self._cluster = cluster
        self._sender = sender
        self._subscriptions = subscriptions
        self._mine = mine
        self._pacing = pacing
        self._failures = 0
        self._begin_anew()

    async def run(self) -> None:
        """Serve until cancelled, whatever happens to the broker."""
        while True:
            try:
                with broker_faults():
                    await self._serve()
            except BusUnavailableError as error:
                self._failures += 1
                _log.warning("a group cannot be served", consumer=self._mine.consumer, error=str(error))
                await asyncio.sleep(min(LONGEST_PAUSE, 0.1 * 2**self._failures))

    async def on_partitions_revoked(self, revoked: object) -> None:
        """What is in hand is somebody else's from now on."""
        await self._lanes.aclose()

    async def on_partitions_assigned(self, assigned: object) -> None:
        """Begin with what the group has committed."""
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._progress = Progress()
        self._lanes: Lanes[Place] = Lanes(self._mine, self._pacing, settle=self._settle, bury=self._bury)

    async def _serve(self) -> None:
        await create_topics(self._cluster, self._subscriptions)
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._cluster.servers,
            group_id=self._cluster.group(self._mine.consumer),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=int(self._cluster.session * 1000),
            heartbeat_interval_ms=int(self._cluster.session * 300),
        )
        consumer.subscribe([self._cluster.events, self._cluster.again(self._mine.consumer)], listener=self)
        try:
            async with asyncio.timeout(self._cluster.answer_within):
                await consumer.start()
            self._failures = 0
            while True:
                await self._look(consumer)
        finally:
            await self._lanes.aclose()
            await asyncio.shield(consumer.stop())

    async def _look(self, consumer: AIOKafkaConsumer) -> None:
        if self._lanes.broken.done():
            self._lanes.broken.result()
        room = IN_HAND - self._progress.in_hand
        if room > 0:
            for partition, records in (await consumer.getmany(timeout_ms=_LOOK_EVERY_MS, max_records=room)).items():
                for record in records:
                    await self._take((partition, record.offset), record.value or b"")
        else:
            await asyncio.sleep(_LOOK_EVERY_MS / 1000)
        offsets = self._progress.to_commit()
        if offsets:
            await consumer.commit(offsets)

    async def _take(self, place: Place, value: bytes) -> None:
        self._progress.taken(place)
        try:
            self._lanes.add(place, cloudevents.decode(value))
        except cloudevents.NotAnEventError as error:
            # Nothing of ours writes such a record, and a group cannot go on past what it keeps.
            _log.warning("what came is no event", consumer=self._mine.consumer, error=str(error))
            self._progress.done(place)

    async def _settle(self, place: Place) -> None:
        self._progress.done(place)

    async def _bury(self, place: Place, event: RecordedEvent, attempts: int, error: str) -> None:
        topic = self._cluster.dead(self._mine.consumer)
        await self._sender.send([(topic, new_id(), value_of(event), headers_of(attempts, error))])
        self._progress.done(place)
