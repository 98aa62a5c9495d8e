"""Write records to Kafka in batches."""

import asyncio
from collections.abc import Sequence

from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]  # the package has no types

from metastore.adapters.event_bus.kafka.errors import broker_errors
from metastore.adapters.event_bus.kafka.records import Headers
from metastore.adapters.event_bus.kafka.topics import Cluster, create_topics
from metastore.ports.event_bus import Subscription

OutgoingRecord = tuple[str, str, bytes | None, Headers]
"""Topic, key, value and headers."""


class Producer:
    """A Kafka producer that connects on first use and reconnects after a failure."""

    def __init__(self, cluster: Cluster, subscriptions: Sequence[Subscription]) -> None:
        self._cluster = cluster
        self._subscriptions = subscriptions
        self._producer: AIOKafkaProducer | None = None
        # One batch at a time: concurrent batches could reorder the events of an aggregate.
        self._lock = asyncio.Lock()

    async def send(self, records: Sequence[OutgoingRecord]) -> None:
        """Write records in order and return once the brokers have acknowledged all of them.

        Raises:
            BusUnavailableError: some records may not have been written.
        """
        async with self._lock:
            try:
                with broker_errors():
                    await self._send(records)
            except BaseException:
                await self._drop()
                raise

    async def check(self) -> None:
        """Return once the brokers have responded.

        Raises:
            BusUnavailableError: they did not.
        """
        async with self._lock:
            with broker_errors():
                await create_topics(self._cluster, self._subscriptions)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._drop()

    async def _send(self, records: Sequence[OutgoingRecord]) -> None:
        if self._producer is None:
            await create_topics(self._cluster, self._subscriptions)
            self._producer = AIOKafkaProducer(bootstrap_servers=self._cluster.servers, acks="all", linger_ms=2)
            async with asyncio.timeout(self._cluster.request_timeout):
                await self._producer.start()
        async with asyncio.timeout(self._cluster.request_timeout):
            written = [
                await self._producer.send(topic, value, key=key.encode(), headers=list(headers))
                for topic, key, value, headers in records
            ]
            await asyncio.gather(*written)

    async def _drop(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            try:
                async with asyncio.timeout(1):
                    await producer.stop()
            except Exception:  # noqa: BLE001  the producer is dropped because it failed
                return
