"""The Kafka bus keeps the contract."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from metastore.adapters.event_bus.kafka import KafkaBus
from metastore.adapters.event_bus.lanes import Pacing
from metastore.kit.ids import new_id
from tests.contracts.event_bus import EventBusContract, NewBus
from tests.fixtures.events import Guest


class TestKafkaBus(EventBusContract):
    """See the contract."""

    @pytest.fixture
    async def new_bus(self, kafka: str) -> AsyncIterator[NewBus]:
        """Buses on the test's own topics and groups."""
        prefix = new_id()
        made: list[KafkaBus] = []

        def make(*guests: Guest) -> KafkaBus:
            bus = KafkaBus(kafka, prefix=prefix, pacing=Pacing(pauses=(0.05,), outage=0.05), session=1.0)
            for guest in guests:
                bus.subscribe(guest.subscription)
            made.append(bus)
            return bus

        yield make
        await asyncio.gather(*(bus.aclose() for bus in made))
