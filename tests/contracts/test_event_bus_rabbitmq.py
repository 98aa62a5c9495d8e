"""Contract tests of the RabbitMQ bus."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from metastore.adapters.event_bus.rabbitmq import RabbitMqBus
from metastore.adapters.event_bus.retries import RetryPolicy
from metastore.kit.ids import new_id
from tests.contracts.event_bus import EventBusContract, NewBus
from tests.fixtures.events import RecordingConsumer
from tests.fixtures.rabbitmq import SharedRabbitMq


class TestRabbitMqBus(EventBusContract):
    """See the contract."""

    @pytest.fixture
    async def new_bus(self, rabbitmq: SharedRabbitMq) -> AsyncIterator[NewBus]:
        """Buses on the test's own exchange and queues."""
        prefix = new_id()
        buses: list[RabbitMqBus] = []

        def create(*consumers: RecordingConsumer) -> RabbitMqBus:
            bus = RabbitMqBus(
                rabbitmq.url, prefix=prefix, retry_policy=RetryPolicy(backoff=(0.05,), outage_interval=0.05)
            )
            for consumer in consumers:
                bus.subscribe(consumer.subscription)
            buses.append(bus)
            return bus

        yield create
        await asyncio.gather(*(bus.aclose() for bus in buses))
