"""The contract of the ``EventBus`` port."""

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

import pytest
from structlog.testing import capture_logs

from metastore.kit.problems.problem import unavailable
from metastore.ports.event_bus import MAX_ATTEMPTS, EventBus
from metastore.ports.object_store import StoreUnavailableError
from tests.fixtures.events import RecordingConsumer, event
from tests.fixtures.waiting import eventually


class NewBus(Protocol):
    """Create a bus with consumers subscribed."""

    def __call__(self, *consumers: RecordingConsumer) -> EventBus:
        """Return a new bus that is not running yet."""
        ...


class EventBusContract(ABC):
    """The tests that every event bus passes. Subclasses provide the fixture ``new_bus``."""

    @abstractmethod
    def new_bus(self) -> NewBus:
        """Fixture: create buses on one broker, each standing for a process, with short retry delays."""

    async def test_an_event_is_delivered_with_all_its_fields(self, new_bus: NewBus) -> None:
        """The delivered event equals the published one."""
        recorder = RecordingConsumer("recorder", "sample.recorded")
        sent = event()
        async with running(new_bus(recorder)) as bus:
            await bus.publish([sent])
            await eventually(lambda: recorder.seen)
        assert [sent] == recorder.seen

    async def test_a_consumer_gets_only_the_event_types_it_subscribes_to(self, new_bus: NewBus) -> None:
        """A consumer without event types gets all events."""
        selective, unselective = RecordingConsumer("selective", "sample.updated"), RecordingConsumer("unselective")
        async with running(new_bus(selective, unselective)) as bus:
            await bus.publish([event(event_type="sample.recorded"), event(event_type="sample.updated")])
            await eventually(lambda: len(unselective.seen) == 2 and selective.seen)
        assert ["sample.updated"] == [seen.event_type for seen in selective.seen]

    async def test_an_event_without_a_subscriber_is_accepted_and_dropped(self, new_bus: NewBus) -> None:
        """Publishing it is not an error."""
        async with running(new_bus(RecordingConsumer("selective", "sample.updated"))) as bus:
            await bus.publish([event(event_type="sample.recorded")])

    async def test_every_consumer_gets_its_own_copy(self, new_bus: NewBus) -> None:
        """The failure of one consumer does not keep the event from another."""
        failing, healthy = RecordingConsumer("failing"), RecordingConsumer("healthy")
        sent = event()
        failing.fails_on.add(sent.id)
        async with running(new_bus(failing, healthy)) as bus:
            await bus.publish([sent])
            await eventually(lambda: healthy.seen)
            assert not failing.seen

    async def test_events_published_before_a_crash_are_delivered_after_it(self, new_bus: NewBus) -> None:
        """They reach the consumers of the next process, even if this one dies immediately."""
        await new_bus(RecordingConsumer("recorder")).publish([event(number=n) for n in range(3)])
        recorder = RecordingConsumer("recorder")
        async with running(new_bus(recorder)):
            await eventually(lambda: len(recorder.seen) == 3)
        assert [0, 1, 2] == recorder.numbers("copper")

    async def test_an_event_whose_handler_was_interrupted_is_redelivered(self, new_bus: NewBus) -> None:
        """If a process dies while a handler runs, the next process gets the event."""
        started = asyncio.Event()

        class Slow(RecordingConsumer):
            async def _handle(self, given: object) -> None:
                started.set()
                await asyncio.sleep(3600)

        async with running(new_bus(Slow("recorder"))) as bus:
            await bus.publish([event()])
            await asyncio.wait_for(started.wait(), 60)
        recorder = RecordingConsumer("recorder")
        async with running(new_bus(recorder)):
            await eventually(lambda: recorder.seen)

    async def test_an_event_published_twice_is_delivered_at_least_once(self, new_bus: NewBus) -> None:
        """A relay that dies before it marks an event publishes it again."""
        recorder = RecordingConsumer("recorder")
        sent = event()
        async with running(new_bus(recorder)) as bus:
            await bus.publish([sent])
            await bus.publish([sent])
            await eventually(lambda: recorder.seen)
        assert {sent.id} == {seen.id for seen in recorder.seen}

    async def test_events_of_an_aggregate_are_delivered_in_order(self, new_bus: NewBus) -> None:
        """In the order of publication, across batches."""
        recorder = RecordingConsumer("recorder")
        async with running(new_bus(recorder)) as bus:
            for start in range(0, 60, 20):
                batch = [event(sample, n) for n in range(start, start + 20) for sample in ("copper", "iron")]
                await bus.publish(batch)
            await eventually(lambda: len(recorder.seen) == 120)
        assert list(range(60)) == recorder.numbers("copper")
        assert list(range(60)) == recorder.numbers("iron")

    async def test_a_failed_event_is_retried(self, new_bus: NewBus) -> None:
        """A handler that fails once gets the event again."""
        recorder = RecordingConsumer("recorder")
        sent = event()
        recorder.fails_on.add(sent.id)
        async with running(new_bus(recorder)) as bus:
            await bus.publish([sent])
            await eventually(lambda: recorder.attempts.get(sent.id))
            recorder.fails_on.clear()
            await eventually(lambda: recorder.seen)
        assert await bus.dead_events(limit=10) == []

    async def test_a_failing_event_delays_only_its_own_aggregate(self, new_bus: NewBus) -> None:
        """While it is retried, later events of its aggregate wait, and all others are delivered."""
        recorder = RecordingConsumer("recorder")
        bad, after, other = event("copper", 1), event("copper", 2), event("iron", 1)
        recorder.fails_on.add(bad.id)
        async with running(new_bus(recorder)) as bus:
            await bus.publish([bad, after, other])
            await eventually(lambda: recorder.seen == [other])
            recorder.fails_on.clear()
            await eventually(lambda: len(recorder.seen) == 3)
        assert [1, 2] == recorder.numbers("copper")

    async def test_an_event_that_keeps_failing_is_dead_lettered_and_blocks_no_others(self, new_bus: NewBus) -> None:
        """After the last attempt it is dead-lettered with its error. All others are delivered."""
        recorder = RecordingConsumer("recorder")
        events = [event("copper", n) for n in range(30)]
        poison = events[7]
        recorder.fails_on.add(poison.id)
        with capture_logs() as logs:
            async with running(new_bus(recorder)) as bus:
                await bus.publish(events)
                await eventually(lambda: len(recorder.seen) == 29)
                dead = await eventually(lambda: bus.dead_events(limit=10))
        assert [(poison, "recorder", MAX_ATTEMPTS)] == [(d.event, d.consumer, d.attempts) for d in dead]
        assert "refused by the test" in dead[0].error
        assert MAX_ATTEMPTS == recorder.attempts[poison.id]
        attempts = [entry for entry in logs if entry["event"] == "event handler failed"]
        assert [poison.id] * MAX_ATTEMPTS == [entry["event_id"] for entry in attempts]
        assert all("refused by the test" in entry["error"] for entry in attempts)
        assert [MAX_ATTEMPTS - 1] == [n for n, entry in enumerate(attempts) if entry["exc_info"]], (
            "only the last attempt is logged with a traceback"
        )

    @pytest.mark.parametrize(
        "error", [unavailable("offline"), StoreUnavailableError("offline")], ids=["database", "store"]
    )
    async def test_an_outage_dead_letters_no_event(self, new_bus: NewBus, error: Exception) -> None:
        """Failures during an outage do not count as attempts. Afterwards, all events are delivered in order."""
        recorder = RecordingConsumer("recorder")
        events = [event("copper", 1), event("copper", 2), event("iron", 1)]
        recorder.error = error
        recorder.fails_on.update(e.id for e in events)
        async with running(new_bus(recorder)) as bus:
            await bus.publish(events)
            await eventually(lambda: recorder.attempts.get(events[0].id, 0) > MAX_ATTEMPTS + 1)
            recorder.fails_on.clear()
            await eventually(lambda: len(recorder.seen) == 3)
            assert await bus.dead_events(limit=10) == []
        assert [1, 2] == recorder.numbers("copper")

    async def test_a_dead_event_can_be_redelivered(self, new_bus: NewBus) -> None:
        """It is delivered and no longer listed as dead. Redelivering an unknown id returns ``False``."""
        recorder = RecordingConsumer("recorder")
        poison = event()
        recorder.fails_on.add(poison.id)
        async with running(new_bus(recorder)) as bus:
            await bus.publish([poison])
            dead = await eventually(lambda: bus.dead_events(limit=10))
            recorder.fails_on.clear()
            assert await bus.redeliver(dead[0].id)
            await eventually(lambda: recorder.seen == [poison])
            assert await bus.dead_events(limit=10) == []
            assert not await bus.redeliver(dead[0].id)
            assert not await bus.redeliver("0190a000-0000-7000-8000-000000000000")

    async def test_dead_events_are_listed_in_pages_latest_first(self, new_bus: NewBus) -> None:
        """The list can be continued after any of its items."""
        recorder = RecordingConsumer("recorder")
        events = [event(f"sample-{n}", n) for n in range(3)]
        recorder.fails_on.update(e.id for e in events)
        async with running(new_bus(recorder)) as bus:
            await bus.publish(events)

            async def all_dead() -> bool:
                return len(await bus.dead_events(limit=10)) == 3

            await eventually(all_dead)
            first = await bus.dead_events(limit=2)
            rest = await bus.dead_events(limit=2, before=first[-1].id)
        assert [2, 1] == [len(first), len(rest)]
        assert {e.id for e in events} == {d.event.id for d in first + rest}
        ids = [d.id for d in first + rest]
        assert sorted(ids, reverse=True) == ids

    async def test_two_consumers_of_one_name_are_refused(self, new_bus: NewBus) -> None:
        """Each name has one queue."""
        with pytest.raises(ValueError, match="recorder"):
            new_bus(RecordingConsumer("recorder"), RecordingConsumer("recorder"))

    async def test_only_the_selected_consumers_run(self, new_bus: NewBus) -> None:
        """The events of the others wait for a process that runs those."""
        selected, other = RecordingConsumer("selected"), RecordingConsumer("other")
        async with running(new_bus(selected, other), only=frozenset({"selected"})) as bus:
            await bus.publish([event()])
            await eventually(lambda: selected.seen)
        assert not other.seen
        other_later = RecordingConsumer("other")
        async with running(new_bus(RecordingConsumer("selected"), other_later), only=frozenset({"other"})):
            await eventually(lambda: other_later.seen)

    async def test_an_unknown_consumer_cannot_be_selected(self, new_bus: NewBus) -> None:
        """A worker with a misspelt name fails immediately instead of doing nothing."""
        with pytest.raises(ValueError, match="recoder"):
            await new_bus(RecordingConsumer("recorder")).run(frozenset({"recoder"}))

    async def test_the_check_of_a_working_bus_passes(self, new_bus: NewBus) -> None:
        """``check`` is part of the readiness check."""
        await new_bus(RecordingConsumer("recorder")).check()


@asynccontextmanager
async def running(bus: EventBus, only: frozenset[str] | None = None) -> AsyncIterator[EventBus]:
    """Run the bus within the block."""
    task = asyncio.create_task(bus.run(only))
    try:
        yield bus
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
