"""The RabbitMQ bus keeps the contract."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from metastore.adapters.event_bus.dispatcher import RetryPolicy
from metastore.adapters.event_bus.rabbitmq import RabbitMqBus
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
        made: list[RabbitMqBus] = []

        def make(*guests: RecordingConsumer) -> RabbitMqBus:
            bus = RabbitMqBus(
                rabbitmq.url, prefix=prefix, retry_policy=RetryPolicy(backoff=(0.05,), outage_interval=0.05)
            )
            for guest in guests:
                bus.subscribe(guest.subscription)
            made.append(bus)
            return bus

        yield make
        await asyncio.gather(*(bus.aclose() for bus in made))
