"""Contract tests of the Kafka bus."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from metastore.adapters.event_bus.kafka import KafkaBus
from metastore.adapters.event_bus.retries import RetryPolicy
from metastore.kit.ids import new_id
from tests.contracts.event_bus import EventBusContract, NewBus
from tests.fixtures.events import RecordingConsumer


class TestKafkaBus(EventBusContract):
    """See the contract."""

    @pytest.fixture
    async def new_bus(self, kafka: str) -> AsyncIterator[NewBus]:
        """Buses on the test's own topics and groups."""
        prefix = new_id()
        buses: list[KafkaBus] = []

        def create(*consumers: RecordingConsumer) -> KafkaBus:
            bus = KafkaBus(
                kafka,
                prefix=prefix,
                retry_policy=RetryPolicy(backoff=(0.05,), outage_interval=0.05),
                session_timeout=1.0,
            )
            for consumer in consumers:
                bus.subscribe(consumer.subscription)
            buses.append(bus)
            return bus

        yield create
        await asyncio.gather(*(bus.aclose() for bus in buses))
