"""The in-process bus delivers batches: each event takes effect once, in order, whatever fails or dies."""

import asyncio
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text

from metastore.adapters.event_bus.inprocess import consumer_task
from metastore.adapters.event_bus.inprocess.bus import InProcessBus
from metastore.kit.database.unit_of_work import Database, Transaction
from metastore.kit.events import inbox, positions
from metastore.kit.events.consumer import AfterCommit, Consumer
from metastore.kit.events.outbox import RecordedEvent
from metastore.ports.event_bus import MAX_ATTEMPTS
from metastore.processes.consumers import subscribe_all
from metastore.processes.relay import Relay
from tests.contracts.event_bus import running
from tests.fixtures.events import SampleRecorded, event
from tests.fixtures.self_killing_consumer import CONSUMER
from tests.fixtures.statement_counter import counting_statements
from tests.fixtures.waiting import eventually


class Effects:
    """A consumer of batches that stores an effect for each event, and fails on the events in ``poison``."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.poison: set[str] = set()
        self.batches: list[int] = []
        self.consumer = Consumer("effects", in_batches={SampleRecorded.event_type: self._handle})

    async def _handle(self, tx: Transaction, events: Sequence[RecordedEvent]) -> Sequence[AfterCommit]:
        rows = [{"consumer": "effects", "event_id": each.id} for each in events]
        await tx.session.execute(
            text("INSERT INTO test_effects (consumer, event_id) VALUES (:consumer, :event_id)"), rows
        )
        self.batches.append(len(events))
        if any(each.id in self.poison for each in events):
            raise ValueError("refused by the test")
        return ()

    async def ids(self) -> list[str]:
        """Return the events of the effects, in the order of their transactions."""
        async with self.database.reading() as tx:
            return list(await tx.session.scalars(text("SELECT event_id FROM test_effects ORDER BY number")))

    def bus(self) -> InProcessBus:
        """Return a new bus with this consumer."""
        bus = InProcessBus(self.database, backoff=(0.02,))
        subscribe_all(bus, self.database, [self.consumer])
        return bus


@pytest.fixture
async def effects(database: Database) -> Effects:
    """A consumer on a table without a unique constraint, so that a repeated effect shows."""
    number = "INTEGER PRIMARY KEY" if database.single_writer else "SERIAL"
    async with database.transaction() as tx:
        await tx.session.execute(text(f"CREATE TABLE test_effects (consumer TEXT, event_id TEXT, number {number})"))
    return Effects(database)


async def test_poison_in_a_batch_of_200_harms_only_itself(effects: Effects) -> None:
    """199 events take effect once, in order; the poison is dead-lettered after its attempts."""
    events = [event(f"sample-{number}", number) for number in range(200)]
    effects.poison = {events[137].id}
    bus = effects.bus()
    async with running(bus):
        await bus.publish(events)
        (dead,) = await eventually(lambda: bus.dead_events(limit=5))
        await eventually(lambda: _has(effects, 199))
    assert (dead.event, dead.attempts) == (events[137], MAX_ATTEMPTS)
    assert [each.id for each in events if each.id not in effects.poison] == await effects.ids()
    assert len(effects.batches) < 40, "a batch that fails is halved, not handled one by one"


async def test_events_behind_a_poison_of_their_aggregate_follow_in_order(effects: Effects) -> None:
    """Also those that were published while it was retried."""
    events = [event("copper" if number % 5 == 0 else "iron", number) for number in range(100)]
    effects.poison = {events[10].id}
    bus = effects.bus()
    async with running(bus):
        for start in range(0, 100, 20):
            await bus.publish(events[start : start + 20])
        await eventually(lambda: _has(effects, 99))
    handled = await effects.ids()
    for sample in ("copper", "iron"):
        ids = [each.id for each in events if each.aggregate == f"sample:{sample}" and each.id not in effects.poison]
        assert ids == [each for each in handled if each in ids]


async def test_two_processes_with_the_same_consumer_make_each_effect_once_and_in_order(effects: Effects) -> None:
    """The one that comes second finds the position moved, and continues after it."""
    events = [event(number=number) for number in range(300)]
    first, second = effects.bus(), effects.bus()
    await first.publish(events[:150])
    async with running(first), running(second):
        for start in range(150, 300, 10):
            await random.Random(start).choice((first, second)).publish(events[start : start + 10])
            first_task = next(iter(second._tasks.values()))
            first_task.wake_for_others()
            next(iter(first._tasks.values())).wake_for_others()
        await eventually(lambda: _has(effects, 300))
    assert [each.id for each in events] == await effects.ids()


async def test_what_the_inbox_knows_has_no_second_effect(effects: Effects) -> None:
    """The database may have been used with a broker before."""
    events = [event(number=number) for number in range(10)]
    async with effects.database.transaction() as tx:
        await inbox.first_deliveries(tx, "effects", [each.id for each in events[3:6]])
    bus = effects.bus()
    async with running(bus):
        await bus.publish(events)
        await eventually(lambda: _has(effects, 7))
    assert [each.id for each in events[:3] + events[6:]] == await effects.ids()


async def test_a_consumer_that_fell_behind_reads_from_the_database(
    effects: Effects, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was published before the start is not in memory; it is handled in full batches."""
    monkeypatch.setattr(consumer_task, "BATCH", 40)
    events = [event(number=number) for number in range(130)]
    await effects.bus().publish(events)
    async with running(effects.bus()):
        await eventually(lambda: _has(effects, 130))
    assert [each.id for each in events] == await effects.ids()
    assert [40, 40, 40, 10] == effects.batches


async def test_nothing_is_asked_of_the_database_while_nothing_happens(database_url: str) -> None:
    with counting_statements() as statements:
        database = Database(database_url)
        bus, recorded = InProcessBus(database), SampleRecorded(sample="copper")
        seen: list[str] = []

        async def handle(_tx: Transaction, given: RecordedEvent) -> AfterCommit | None:
            seen.append(given.id)
            return None

        subscribe_all(bus, database, [Consumer("first", in_transaction={recorded.event_type: handle})])
        relay = asyncio.create_task(Relay(database, bus).run())
        async with running(bus):
            async with database.transaction() as tx:
                tx.record(recorded)
            await eventually(lambda: seen)
            await eventually(lambda: _is_settled(database))
            await asyncio.sleep(0.3)  # longer than any pause after work
            statements.clear()
            await asyncio.sleep(1)
            assert [] == statements.executed
        relay.cancel()
        await asyncio.gather(relay, return_exceptions=True)
        await database.aclose()


async def test_a_signal_that_comes_while_the_database_is_read_is_not_lost(effects: Effects) -> None:
    """Neither that of a redelivery nor that of another process."""
    bus, poison, late = effects.bus(), event("copper"), event("iron")
    effects.poison = {poison.id}
    async with running(bus):
        await bus.publish([poison])
        (dead,) = await eventually(lambda: bus.dead_events(limit=1))
        effects.poison = set()
        reading = effects.database.reading

        @asynccontextmanager
        async def interrupted_reading() -> AsyncIterator[Transaction]:
            async with reading() as tx:
                yield tx
                effects.database.reading = reading  # type: ignore[method-assign]  # only the next one is interrupted
                await bus.redeliver(dead.id)
                await bus.publish([late])

        effects.database.reading = interrupted_reading  # type: ignore[method-assign]  # restored by itself
        bus._tasks["effects"].wake_for_others()
        await eventually(lambda: _has(effects, 2), timeout=20, why="the signal was lost until the next poll")


async def test_the_outbox_keeps_what_a_consumer_has_yet_to_handle(effects: Effects) -> None:
    bus = effects.bus()
    await bus.publish([event(number=number) for number in range(3)])
    async with effects.database.transaction() as tx:
        await tx.session.execute(text("UPDATE outbox_events SET published_at = '2020-01-01 00:00:00'"))
    relay = Relay(effects.database, bus)
    await relay.prune()
    assert 3 == await _kept(effects.database)
    async with running(bus):
        await eventually(lambda: _has(effects, 3))
    await relay.prune()
    assert 0 == await _kept(effects.database)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_kill_between_effect_and_commit_or_after_it_repeats_and_loses_nothing(effects: Effects) -> None:
    """Position and effects are one transaction."""
    for start in range(0, 3000, 100):
        async with effects.database.transaction() as tx:
            for number in range(start, start + 100):
                tx.record(SampleRecorded(sample=f"sample-{number % 7}", number=number))
    path = str(effects.database.url.database)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.fixtures.self_killing_consumer", path, "8", stdout=asyncio.subprocess.PIPE
    )
    try:
        killed, _ = await asyncio.wait_for(process.communicate(), 120)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
    assert int(killed) >= 6
    async with effects.database.reading() as tx:
        recorded = list(await tx.session.scalars(text("SELECT id FROM outbox_events ORDER BY position")))
        names = set(await tx.session.scalars(text("SELECT DISTINCT consumer FROM test_effects")))
    assert {CONSUMER} == names
    assert Counter(recorded) == Counter(await effects.ids())
    assert recorded == await effects.ids()


async def _has(effects: Effects, count: int) -> bool:
    return len(await effects.ids()) >= count


async def _is_settled(database: Database) -> bool:
    async with database.reading() as tx:
        return await positions.position_of(tx, "first") == await positions.last_position(tx)


async def _kept(database: Database) -> int:
    async with database.reading() as tx:
        return int(await tx.session.scalar(text("SELECT count(*) FROM outbox_events")) or 0)
