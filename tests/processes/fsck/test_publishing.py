"""A repair has stuck facts published when the bus takes them, and does not wait for it once for each."""

from datetime import timedelta

from sqlalchemy import select

from metastore.kit.ids import new_id
from metastore.kit.outbox import OutboxEvent
from metastore.processes.fsck import look
from metastore.processes.fsck.events import OutboxCheck
from metastore.processes.fsck.everything import publishing
from metastore.processes.relay import Relay
from tests.fixtures.buses import DeafBus
from tests.fixtures.drive import Drive


class CountedRelay(Relay):
    """A relay that counts how often it was set to work."""

    runs = 0

    async def run(self) -> None:
        """See ``Relay``."""
        self.runs += 1
        await super().run()


async def lose_events(drive: Drive, number: int) -> None:
    """So many events of a status that no relay looks for."""
    about = {"event_type": "file.ready", "payload": {}, "headers": {}, "attempts": 9, "status": "lost"}
    async with drive.database.transaction() as tx:
        for count in range(number):
            created_at = drive.clock() - timedelta(seconds=count)
            tx.session.add(OutboxEvent(id=new_id(), aggregate=f"file:{count}", created_at=created_at, **about))


async def repaired(drive: Drive, relay: Relay, *, within: float) -> list[str | None]:
    """What a repair of all stuck events says of each."""
    check = OutboxCheck(drive.database, publishing(drive.database, relay, within=within))
    return [found.repaired async for found in look(check, repair=True, pauses=[0.0])]


async def test_a_repair_publishes_what_is_stuck(drive: Drive) -> None:
    bus = DeafBus()
    await lose_events(drive, 3)
    assert ["published"] * 3 == await repaired(drive, Relay(drive.database, bus), within=10)
    assert 3 == len({event.aggregate for event in bus.published})


async def test_a_bus_that_is_away_is_waited_for_once_and_every_event_is_left_due(drive: Drive) -> None:
    bus = DeafBus()
    bus.away = True
    relay = CountedRelay(drive.database, bus)
    await lose_events(drive, 5)
    assert ["due at once for the next relay"] * 5 == await repaired(drive, relay, within=0.2)
    assert 1 == relay.runs
    async with drive.database.reading() as tx:
        assert {"pending"} == set(await tx.session.scalars(select(OutboxEvent.status)))
