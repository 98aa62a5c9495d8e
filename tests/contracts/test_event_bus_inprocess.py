"""Contract tests of the in-process bus, on both databases."""

import pytest

from metastore.adapters.event_bus.inprocess.bus import InProcessBus
from metastore.kit.database.unit_of_work import Database
from tests.contracts.event_bus import EventBusContract, NewBus
from tests.fixtures.events import RecordingConsumer

BACKOFF = (0.05,)


class TestInProcessBus(EventBusContract):
    """See the contract."""

    @pytest.fixture
    def new_bus(self, database: Database) -> NewBus:
        """Buses on the test's database."""

        def create(*consumers: RecordingConsumer) -> InProcessBus:
            bus = InProcessBus(database, backoff=BACKOFF, outage_interval=BACKOFF[0], poll_interval=0.2)
            for consumer in consumers:
                bus.subscribe(consumer.subscription)
            return bus

        return create
