"""Dead events while the event bus is unavailable."""

import pytest

from metastore.features.dead_events.service import DeadEventsService
from metastore.kit.ids import new_id
from metastore.kit.problems.problem import Problem
from metastore.ports.event_bus import BusUnavailableError, DeadEvent
from tests.fixtures.buses import RecordingBus


class UnavailableBus(RecordingBus):
    """An event bus that cannot be reached."""

    async def dead_events(self, *, limit: int, before: str | None = None) -> list[DeadEvent]:
        """Raise ``BusUnavailableError``."""
        raise BusUnavailableError("unavailable")

    async def redeliver(self, dead_id: str) -> bool:
        """Raise ``BusUnavailableError``."""
        raise BusUnavailableError("unavailable")


async def test_an_unavailable_bus_is_reported_as_503() -> None:
    service = DeadEventsService(UnavailableBus())
    for call in (service.page(limit=10, cursor=None), service.redeliver(new_id())):
        with pytest.raises(Problem) as caught:
            await call
        assert (503, "unavailable") == (caught.value.status, caught.value.code)
        assert "Retry-After" in caught.value.headers
