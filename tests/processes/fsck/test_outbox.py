"""A repair publishes stuck events, and waits for an unavailable bus only once."""

from datetime import timedelta

from sqlalchemy import select

from metastore.kit.events.outbox import OutboxEvent
from metastore.kit.ids import new_id
from metastore.processes.fsck import run_check
from metastore.processes.fsck.outbox import OutboxCheck
from metastore.processes.fsck.registry import relay_publisher
from metastore.processes.relay import Relay
from tests.fixtures.buses import RecordingBus
from tests.fixtures.user_drive import Drive


class CountedRelay(Relay):
    """A relay that counts its runs."""

    runs = 0

    async def run(self) -> None:
        """Count the run and start it."""
        self.runs += 1
        await super().run()


async def lose_events(drive: Drive, number: int) -> None:
    """Record ``number`` events with a status that no relay selects."""
    values = {"event_type": "file.ready", "payload": {}, "headers": {}, "attempts": 9, "status": "lost"}
    async with drive.database.transaction() as tx:
        for count in range(number):
            created_at = drive.clock() - timedelta(seconds=count)
            tx.session.add(OutboxEvent(id=new_id(), aggregate=f"file:{count}", created_at=created_at, **values))


async def repaired(drive: Drive, relay: Relay, *, timeout: float) -> list[str | None]:
    """Repair all stuck events; return what was done about each."""
    check = OutboxCheck(drive.database, relay_publisher(drive.database, relay, timeout=timeout))
    return [found.repaired async for found in run_check(check, repair=True, recheck_delays=[0.0])]


async def test_a_repair_publishes_stuck_events(drive: Drive) -> None:
    bus = RecordingBus()
    await lose_events(drive, 3)
    assert ["published"] * 3 == await repaired(drive, Relay(drive.database, bus), timeout=10)
    assert 3 == len({event.aggregate for event in bus.published})


async def test_an_unavailable_bus_is_waited_for_once_and_all_events_stay_due(drive: Drive) -> None:
    bus = RecordingBus()
    bus.offline = True
    relay = CountedRelay(drive.database, bus)
    await lose_events(drive, 5)
    assert ["due at once for the next relay"] * 5 == await repaired(drive, relay, timeout=0.2)
    assert 1 == relay.runs
    async with drive.database.reading() as tx:
        assert {"pending"} == set(await tx.session.scalars(select(OutboxEvent.status)))
