"""A bus that is away is a passing trouble."""

import pytest

from metastore.features.dead_events.service import DeadEventsService
from metastore.kit.ids import new_id
from metastore.kit.problem import Problem
from metastore.ports.event_bus import BusUnavailableError, DeadEvent
from tests.fixtures.buses import DeafBus


class AwayBus(DeafBus):
    """Cannot be reached."""

    async def dead_events(self, *, limit: int, before: str | None = None) -> list[DeadEvent]:
        """No answer."""
        raise BusUnavailableError("away")

    async def redeliver(self, dead_id: str) -> bool:
        """No answer."""
        raise BusUnavailableError("away")


async def test_while_the_bus_is_away_the_admin_is_told_to_come_back() -> None:
    service = DeadEventsService(AwayBus())
    for call in (service.page(limit=10, cursor=None), service.redeliver(new_id())):
        with pytest.raises(Problem) as refused:
            await call
        assert (503, "unavailable") == (refused.value.status, refused.value.code)
        assert "Retry-After" in refused.value.headers
