"""The in-process bus keeps the contract on both databases."""

import pytest

from metastore.adapters.event_bus.inprocess import InProcessBus
from metastore.kit.database import Database
from tests.contracts.event_bus import EventBusContract, NewBus
from tests.fixtures.events import Guest

PAUSES = (0.05,)


class TestInProcessBus(EventBusContract):
    """See the contract."""

    @pytest.fixture
    def new_bus(self, database: Database) -> NewBus:
        """Buses on the test's database."""

        def make(*guests: Guest) -> InProcessBus:
            bus = InProcessBus(database, pauses=PAUSES, outage=PAUSES[0], poll_interval=0.2)
            for guest in guests:
                bus.subscribe(guest.subscription)
            return bus

        return make
