"""The relay publishes recorded events in order, whatever fails."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text, update

from metastore.kit.clock import utc_now
from metastore.kit.database.unit_of_work import Database, Transaction
from metastore.kit.events import outbox
from metastore.kit.events.inbox import InboxEvent, first_deliveries
from metastore.kit.events.outbox import PENDING, PUBLISHED, OutboxEvent
from metastore.kit.events.outbox_signal import Announcer
from metastore.ports.event_bus import BusUnavailableError
from metastore.processes import relay as relay_module
from metastore.processes.relay import Relay
from tests.fixtures.buses import RecordingBus
from tests.fixtures.events import SampleRecorded
from tests.fixtures.waiting import eventually

on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@asynccontextmanager
async def running(*relays: Relay) -> AsyncIterator[None]:
    """Run relays within the block."""
    tasks = [asyncio.create_task(relay.run()) for relay in relays]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def record(database: Database, *numbers: int, sample: str = "copper") -> None:
    """Record events in one transaction."""
    async with database.transaction() as tx:
        for number in numbers:
            tx.record(SampleRecorded(sample=sample, number=number))


def numbers(bus: RecordingBus) -> list[object]:
    """Return the numbers of the published events, in order."""
    return [event.payload["number"] for event in bus.published]


async def states(database: Database) -> list[tuple[str, int]]:
    """Return status and attempts of the outbox rows, oldest first."""
    async with database.reading() as tx:
        rows = await tx.session.execute(select(OutboxEvent.status, OutboxEvent.attempts).order_by(OutboxEvent.id))
        return [(status, attempts) for status, attempts in rows]


async def test_recorded_events_are_published_in_order_and_marked(database: Database) -> None:
    """Pending events are published oldest first, and only once."""
    await record(database, 1, 2, 3)
    bus = RecordingBus()
    relay = Relay(database, bus)
    assert 3 == await relay.publish_batch()
    assert 0 == await relay.publish_batch()
    assert [1, 2, 3] == numbers(bus)
    assert [(PUBLISHED, 1)] * 3 == await states(database)


async def test_a_commit_wakes_the_relay(database: Database) -> None:
    """The event is published without waiting for the next poll."""
    bus = RecordingBus()
    async with running(Relay(database, bus, poll_interval=3600)):
        await record(database, 1)
        await eventually(lambda: numbers(bus) == [1])
        await record(database, 2)
        await eventually(lambda: numbers(bus) == [1, 2])


async def test_events_of_other_processes_are_found_by_polling(database: Database) -> None:
    """Another process cannot wake this relay on SQLite."""
    bus, other = RecordingBus(), Database(str(database.url.render_as_string(hide_password=False)))
    async with running(Relay(database, bus, poll_interval=0.05)):
        await record(other, 1)
        await eventually(lambda: numbers(bus) == [1])
    await other.aclose()


@on_postgresql
async def test_a_commit_in_another_process_wakes_the_relay(database: Database) -> None:
    """Also after the relay's connection was cut."""
    bus, other = RecordingBus(), Database(str(database.url.render_as_string(hide_password=False)))
    Announcer(other)
    async with running(Relay(database, bus, poll_interval=3600)):
        await eventually(lambda: _listeners(other))
        await record(other, 1)
        await eventually(lambda: numbers(bus) == [1])
        async with other.transaction() as tx:
            await tx.session.execute(text(f"SELECT pg_terminate_backend(pid) {_LISTENERS}"))
        await record(other, 2)
        await eventually(lambda: numbers(bus) == [1, 2])
    await other.aclose()


async def test_a_refused_event_delays_only_its_own_aggregate(database: Database) -> None:
    """It stays pending with the following events of its aggregate. All others are published once."""
    bus = RecordingBus()
    bus.refuses = {"sample:iron"}
    relay = Relay(database, bus)
    await record(database, 1, sample="iron")
    await record(database, 2, sample="copper")
    assert 2 == await relay.publish_batch()
    await record(database, 3, sample="iron")
    await record(database, 4, sample="copper")
    assert 1 == await relay.publish_batch()
    assert [2, 4] == numbers(bus)
    assert [(PENDING, 1), (PUBLISHED, 1), (PENDING, 0), (PUBLISHED, 1)] == await states(database)

    bus.refuses = set()
    async with running(Relay(database, bus, poll_interval=0.1)):
        await eventually(lambda: numbers(bus) == [2, 4, 1, 3])


async def test_a_rolled_back_event_is_not_published(database: Database) -> None:
    """It is part of its transaction."""

    async def fail() -> None:
        async with database.transaction() as tx:
            tx.record(SampleRecorded(sample="copper"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    bus = RecordingBus()
    assert 0 == await Relay(database, bus).publish_batch()


async def test_events_stay_pending_during_an_outage_of_the_bus(database: Database) -> None:
    """They are published afterwards, and the attempts are counted."""
    await record(database, 1, 2)
    bus = RecordingBus()
    bus.offline = True
    with pytest.raises(BusUnavailableError):
        await Relay(database, bus).publish_batch()
    assert [(PENDING, 1)] * 2 == await states(database)
    async with running(Relay(database, bus)):
        await eventually(lambda: bus.refused >= 2)
        bus.offline = False
        await eventually(lambda: numbers(bus) == [1, 2])


async def test_the_backlog_is_measured(database: Database) -> None:
    """The metrics have number and age of pending events, and the numbers of published and failed ones."""
    async with database.transaction() as tx:
        tx.record(SampleRecorded(sample="copper"))
        await tx.flush()
        await tx.session.execute(update(OutboxEvent).values(created_at=utc_now() - timedelta(minutes=5)))
    published, failed = _value(relay_module.PUBLISHED), _value(relay_module.FAILED)
    bus = RecordingBus()
    bus.offline = True
    relay = Relay(database, bus)
    with pytest.raises(BusUnavailableError):
        await relay.publish_batch()
    await relay.measure()
    assert failed + 1 == _value(relay_module.FAILED)
    assert 1 == _value(relay_module.PENDING)
    assert _value(relay_module.LAG) >= 300

    bus.offline = False
    await relay.publish_batch()
    await relay.measure()
    assert published + 1 == _value(relay_module.PUBLISHED)
    assert 0 == _value(relay_module.PENDING) == _value(relay_module.LAG)


async def test_relaying_continues_when_the_backlog_cannot_be_measured(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Measuring continues later."""
    calls = 0

    async def fail(_: Transaction) -> None:
        nonlocal calls
        calls += 1
        raise RuntimeError

    monkeypatch.setattr(outbox, "backlog", fail)
    monkeypatch.setattr(relay_module, "MEASURE_EVERY", 0.01)
    bus = RecordingBus()
    async with running(Relay(database, bus, poll_interval=0.05)):
        await eventually(lambda: calls > 1)
        await record(database, 1)
        await eventually(lambda: numbers(bus) == [1])


async def test_only_old_published_events_are_pruned(database: Database) -> None:
    """Old inbox rows are deleted as well, pending events never."""
    bus = RecordingBus()
    relay = Relay(database, bus, keep=timedelta(days=7))
    await record(database, 1)
    await relay.publish_batch()
    async with database.transaction() as tx:
        assert await first_deliveries(tx, "first", [bus.published[0].id])
        long_ago = utc_now() - timedelta(days=8)
        await tx.session.execute(update(OutboxEvent).values(published_at=long_ago, created_at=long_ago))
        await tx.session.execute(update(InboxEvent).values(handled_at=long_ago))
    await record(database, 2)
    await relay.publish_batch()
    await record(database, 3)
    async with database.transaction() as tx:
        assert await first_deliveries(tx, "first", [bus.published[1].id])
        await tx.session.execute(
            update(OutboxEvent).where(OutboxEvent.status == PENDING).values(created_at=utc_now() - timedelta(days=30))
        )
    await relay.prune()
    assert [(PUBLISHED, 1), (PENDING, 0)] == await states(database)
    async with database.reading() as tx:
        assert 1 == await tx.session.scalar(select(func.count()).select_from(InboxEvent))


@on_postgresql
async def test_an_event_committed_late_is_not_skipped(database: Database) -> None:
    """Sequence order is not commit order: an event with a lower id may be committed last."""
    bus = RecordingBus()
    async with running(Relay(database, bus, poll_interval=0.05)), AsyncExitStack() as late:
        slow: Transaction = await late.enter_async_context(database.transaction())
        slow.record(SampleRecorded(sample="slow", number=0))
        await slow.flush()
        for number in (1, 2, 3):
            await record(database, number)
        await eventually(lambda: numbers(bus) == [1, 2, 3])
        await late.aclose()
        await eventually(lambda: numbers(bus) == [1, 2, 3, 0])

        async def all_are_marked() -> bool:
            return [(PUBLISHED, 1)] * 4 == await states(database)

        await eventually(all_are_marked)


@on_postgresql
async def test_concurrent_relays_share_the_work_and_keep_the_order(database: Database) -> None:
    """Each event is published once, and those of one aggregate in order."""

    class SlowBus(RecordingBus):
        async def publish(self, events: object) -> None:
            await asyncio.sleep(0.002)
            await super().publish(events)  # type: ignore[arg-type]  # passed on as it came

    bus = SlowBus()
    async with running(*(Relay(database, bus, poll_interval=0.01) for _ in range(3))):
        for start in range(0, 150, 3):
            for sample in ("copper", "iron"):
                await record(database, *range(start, start + 3), sample=sample)
        await eventually(lambda: len(bus.published) >= 300)
    for sample in ("copper", "iron"):
        assert list(range(150)) == [e.payload["number"] for e in bus.published if e.aggregate == f"sample:{sample}"]


@on_postgresql
async def test_a_relay_leaves_events_that_follow_one_locked_by_another(database: Database) -> None:
    """A later event of the same aggregate does not overtake it."""

    class StuckBus(RecordingBus):
        def __init__(self) -> None:
            super().__init__()
            self.reached, self.go_on = asyncio.Event(), asyncio.Event()

        async def publish(self, events: object) -> None:
            self.reached.set()
            await self.go_on.wait()
            await super().publish(events)  # type: ignore[arg-type]  # passed on as it came

    stuck, free = StuckBus(), RecordingBus()
    await record(database, 1)
    first = asyncio.create_task(Relay(database, stuck).publish_batch())
    await asyncio.wait_for(stuck.reached.wait(), 60)
    await record(database, 2)
    await record(database, 1, sample="iron")
    assert 1 == await Relay(database, free).publish_batch()
    assert ["sample:iron"] == [event.aggregate for event in free.published]
    stuck.go_on.set()
    await first
    assert 1 == await Relay(database, free).publish_batch()
    assert [1, 2] == numbers(free)


_LISTENERS = "FROM pg_stat_activity WHERE datname = current_database() AND query ILIKE 'LISTEN%'"


async def _listeners(database: Database) -> int:
    async with database.reading() as tx:
        return int(await tx.session.scalar(text(f"SELECT count(*) {_LISTENERS}")) or 0)


def _value(metric: object) -> float:
    samples = [sample for family in metric.collect() for sample in family.samples]  # type: ignore[attr-defined]  # gauge or counter
    return next(float(sample.value) for sample in samples if not sample.name.endswith("_created"))
