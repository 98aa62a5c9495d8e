"""The in-process bus when handlers hang or the database is unavailable."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text

from metastore.adapters.event_bus.inprocess.bus import InProcessBus
from metastore.kit.database.unit_of_work import Database, Transaction
from metastore.kit.events import positions
from metastore.kit.events.outbox import RecordedEvent
from metastore.kit.problems.problem import unavailable
from metastore.ports.event_bus import MAX_ATTEMPTS, BusUnavailableError, Settle, Subscription
from tests.contracts.event_bus import running
from tests.fixtures.events import RecordingConsumer, event
from tests.fixtures.waiting import eventually


class FlakyDatabase(Database):
    """A database that is unavailable while ``is_down``."""

    is_down = False

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Open a transaction, or raise a 503 problem while down."""
        if self.is_down:
            raise unavailable("The database does not respond.")
        async with super().transaction() as tx:
            yield tx

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Transaction]:
        """Open a transaction, or raise a 503 problem while down."""
        if self.is_down:
            raise unavailable("The database does not respond.")
        async with super().reading() as tx:
            yield tx


@pytest.fixture
async def flaky(database_url: str) -> AsyncIterator[FlakyDatabase]:
    """A database that can be made unavailable."""
    database = FlakyDatabase(database_url)
    yield database
    await database.aclose()


async def test_a_hanging_handler_times_out_without_blocking_other_aggregates(database: Database) -> None:
    """After the handler timeout the attempt fails; events of other aggregates are delivered meanwhile."""
    seen: list[RecordedEvent] = []

    async def handle(delivered: RecordedEvent) -> None:
        if delivered.aggregate == "sample:hanging":
            await asyncio.sleep(3600)
        seen.append(delivered)

    bus = InProcessBus(database, handler_timeout=0.05, backoff=(0.02,), poll_interval=0.2)
    bus.subscribe(Subscription("recorder", frozenset(), handle))
    hanging, other = event("hanging"), event("copper")
    async with running(bus):
        await bus.publish([hanging, other])
        await eventually(lambda: seen == [other])
        dead = await eventually(lambda: bus.dead_events(limit=1))
    assert "TimeoutError" in dead[0].error


async def test_delivery_resumes_after_a_database_outage(flaky: FlakyDatabase) -> None:
    """No event is dead-lettered because of the outage."""
    recorder = RecordingConsumer("recorder")
    bus = InProcessBus(flaky, poll_interval=0.05)
    bus.subscribe(recorder.subscription)
    await bus.publish([event()])
    flaky.is_down = True
    async with running(bus):
        with pytest.raises(BusUnavailableError):
            await bus.publish([event()])
        with pytest.raises(BusUnavailableError):
            await bus.check()
        flaky.is_down = False
        await eventually(lambda: recorder.seen)
        assert await bus.dead_events(limit=1) == []


async def test_handled_events_leave_no_rows_of_their_own(database: Database) -> None:
    recorder = RecordingConsumer("recorder")
    bus = InProcessBus(database)
    bus.subscribe(recorder.subscription)
    async with running(bus):
        await bus.publish([event(number=n) for n in range(120)])
        await eventually(lambda: len(recorder.seen) == 120)

        async def all_are_settled() -> bool:
            async with database.reading() as tx:
                return await positions.position_of(tx, "recorder") == await positions.last_position(tx)

        await eventually(all_are_settled)
    async with database.reading() as tx:
        assert not await tx.session.scalar(text("SELECT count(*) FROM queued_events"))
        assert not await tx.session.scalar(text("SELECT count(*) FROM inbox_events"))


async def test_a_bus_without_consumers_runs(database: Database) -> None:
    """Publishing without any subscription is not an error."""
    async with running(InProcessBus(database)) as bus:
        await bus.publish([event()])


async def test_a_failing_event_in_a_batch_fails_alone(database: Database) -> None:
    """Only that event is dead-lettered, after the usual number of attempts; the others are handled."""
    seen: list[RecordedEvent] = []
    attempts: list[RecordedEvent] = []

    async def handle(delivered: RecordedEvent) -> None:
        if delivered.aggregate == "sample:failing":
            attempts.append(delivered)
            raise ValueError("failing")
        seen.append(delivered)

    async def handle_batch(delivered: Sequence[RecordedEvent], _: Settle | None) -> int:
        failing = [each for each in delivered if each.aggregate == "sample:failing"]
        if failing:
            attempts.extend(failing if len(delivered) == 1 else [])
            raise ValueError("failing")
        seen.extend(delivered)
        return len(delivered)

    bus = InProcessBus(database, backoff=(0.02,), poll_interval=0.05)
    bus.subscribe(Subscription("recorder", frozenset(), handle, handle_batch))
    events = [event("copper"), event("failing"), event("iron"), event("glass")]
    async with running(bus):
        await bus.publish(events)
        (dead,) = await eventually(lambda: bus.dead_events(limit=5))
        await bus.publish([event("steel"), event("tin")])
        await eventually(lambda: len(seen) == 5)
    assert (dead.event, len(attempts)) == (events[1], MAX_ATTEMPTS)
    assert [delivered.aggregate for delivered in seen] == [
        f"sample:{name}" for name in ("copper", "iron", "glass", "steel", "tin")
    ]
