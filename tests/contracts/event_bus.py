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
    """Makes a bus with these consumers subscribed."""

    def __call__(self, *guests: RecordingConsumer) -> EventBus:
        """Return a new bus that does not run yet."""
        ...


class EventBusContract(ABC):
    """Inherit this, and provide the fixture ``new_bus``."""

    @abstractmethod
    def new_bus(self) -> NewBus:
        """A fixture: makes buses on one broker, each standing for a process, with short retry pauses."""

    async def test_an_event_reaches_a_consumer_whole(self, new_bus: NewBus) -> None:
        """An event arrives with everything that it was published with."""
        guest = RecordingConsumer("guest", "sample.recorded")
        sent = event()
        async with running(new_bus(guest)) as bus:
            await bus.publish([sent])
            await eventually(lambda: guest.seen)
        assert [sent] == guest.seen

    async def test_a_consumer_gets_only_the_types_it_wants(self, new_bus: NewBus) -> None:
        """Events of other types never reach a consumer; one without types gets all."""
        picky, curious = RecordingConsumer("picky", "cup.filled"), RecordingConsumer("curious")
        async with running(new_bus(picky, curious)) as bus:
            await bus.publish([event(event_type="sample.recorded"), event(event_type="cup.filled")])
            await eventually(lambda: len(curious.seen) == 2 and picky.seen)
        assert ["cup.filled"] == [seen.event_type for seen in picky.seen]

    async def test_an_event_that_nobody_wants_is_taken_and_forgotten(self, new_bus: NewBus) -> None:
        """Publishing what no consumer is subscribed to is no error."""
        async with running(new_bus(RecordingConsumer("picky", "cup.filled"))) as bus:
            await bus.publish([event(event_type="sample.recorded")])

    async def test_every_consumer_gets_its_own_copy(self, new_bus: NewBus) -> None:
        """Two consumers are independent: the failure of one does not keep an event from the other."""
        grumpy, merry = RecordingConsumer("grumpy"), RecordingConsumer("merry")
        sent = event()
        grumpy.fails_on.add(sent.id)
        async with running(new_bus(grumpy, merry)) as bus:
            await bus.publish([sent])
            await eventually(lambda: merry.seen)
            assert not grumpy.seen

    async def test_events_published_before_a_crash_are_delivered_after_it(self, new_bus: NewBus) -> None:
        """What was published reaches the consumers of the next process when this one dies at once."""
        await new_bus(RecordingConsumer("guest")).publish([event(number=n) for n in range(3)])
        guest = RecordingConsumer("guest")
        async with running(new_bus(guest)):
            await eventually(lambda: len(guest.seen) == 3)
        assert [0, 1, 2] == guest.numbers("copper")

    async def test_an_event_whose_handling_was_cut_short_comes_again(self, new_bus: NewBus) -> None:
        """A process that dies while a handler works has the event delivered to the next one."""
        started = asyncio.Event()

        class Slow(RecordingConsumer):
            async def _handle(self, given: object) -> None:
                started.set()
                await asyncio.sleep(3600)

        async with running(new_bus(Slow("guest"))) as bus:
            await bus.publish([event()])
            await asyncio.wait_for(started.wait(), 60)
        guest = RecordingConsumer("guest")
        async with running(new_bus(guest)):
            await eventually(lambda: guest.seen)

    async def test_publishing_again_loses_nothing(self, new_bus: NewBus) -> None:
        """The same event published twice (a relay that died in between) arrives at least once."""
        guest = RecordingConsumer("guest")
        sent = event()
        async with running(new_bus(guest)) as bus:
            await bus.publish([sent])
            await bus.publish([sent])
            await eventually(lambda: guest.seen)
        assert {sent.id} == {seen.id for seen in guest.seen}

    async def test_order_holds_within_an_aggregate(self, new_bus: NewBus) -> None:
        """Events about one thing arrive in the order of their publishing."""
        guest = RecordingConsumer("guest")
        async with running(new_bus(guest)) as bus:
            for start in range(0, 60, 20):
                batch = [event(sample, n) for n in range(start, start + 20) for sample in ("copper", "iron")]
                await bus.publish(batch)
            await eventually(lambda: len(guest.seen) == 120)
        assert list(range(60)) == guest.numbers("copper")
        assert list(range(60)) == guest.numbers("iron")

    async def test_a_failed_event_is_tried_again(self, new_bus: NewBus) -> None:
        """A handler that fails once gets the event once more."""
        guest = RecordingConsumer("guest")
        sent = event()
        guest.fails_on.add(sent.id)
        async with running(new_bus(guest)) as bus:
            await bus.publish([sent])
            await eventually(lambda: guest.attempts.get(sent.id))
            guest.fails_on.clear()
            await eventually(lambda: guest.seen)
        assert await bus.dead_events(limit=10) == []

    async def test_a_failing_event_holds_up_only_its_own_aggregate(self, new_bus: NewBus) -> None:
        """While an event is being retried, later ones about the same thing wait and others do not."""
        guest = RecordingConsumer("guest")
        bad, after, other = event("copper", 1), event("copper", 2), event("iron", 1)
        guest.fails_on.add(bad.id)
        async with running(new_bus(guest)) as bus:
            await bus.publish([bad, after, other])
            await eventually(lambda: guest.seen == [other])
            guest.fails_on.clear()
            await eventually(lambda: len(guest.seen) == 3)
        assert [1, 2] == guest.numbers("copper")

    async def test_a_poison_event_dies_and_holds_nobody_up(self, new_bus: NewBus) -> None:
        """After the last attempt an event is dead-lettered with its error; all others still arrive."""
        guest = RecordingConsumer("guest")
        events = [event("copper", n) for n in range(30)]
        poison = events[7]
        guest.fails_on.add(poison.id)
        with capture_logs() as logs:
            async with running(new_bus(guest)) as bus:
                await bus.publish(events)
                await eventually(lambda: len(guest.seen) == 29)
                dead = await eventually(lambda: bus.dead_events(limit=10))
        assert [(poison, "guest", MAX_ATTEMPTS)] == [(d.event, d.consumer, d.attempts) for d in dead]
        assert "refused by the test" in dead[0].error
        assert MAX_ATTEMPTS == guest.attempts[poison.id]
        attempts = [entry for entry in logs if entry["event"] == "event handler failed"]
        assert [poison.id] * MAX_ATTEMPTS == [entry["event_id"] for entry in attempts]
        assert all("refused by the test" in entry["error"] for entry in attempts)
        assert [MAX_ATTEMPTS - 1] == [n for n, entry in enumerate(attempts) if entry["exc_info"]], (
            "one traceback, and that at the end"
        )

    @pytest.mark.parametrize("error", [unavailable("away"), StoreUnavailableError("away")], ids=["database", "store"])
    async def test_an_outage_longer_than_all_tries_kills_no_event(self, new_bus: NewBus, error: Exception) -> None:
        """Failures during an outage are no attempts; afterwards everything arrives in order."""
        guest = RecordingConsumer("guest")
        events = [event("copper", 1), event("copper", 2), event("iron", 1)]
        guest.error = error
        guest.fails_on.update(e.id for e in events)
        async with running(new_bus(guest)) as bus:
            await bus.publish(events)
            await eventually(lambda: guest.attempts.get(events[0].id, 0) > MAX_ATTEMPTS + 1)
            guest.fails_on.clear()
            await eventually(lambda: len(guest.seen) == 3)
            assert await bus.dead_events(limit=10) == []
        assert [1, 2] == guest.numbers("copper")

    async def test_a_dead_event_can_be_redelivered(self, new_bus: NewBus) -> None:
        """A redelivered dead event arrives and is no longer dead; an unknown one cannot be redelivered."""
        guest = RecordingConsumer("guest")
        poison = event()
        guest.fails_on.add(poison.id)
        async with running(new_bus(guest)) as bus:
            await bus.publish([poison])
            dead = await eventually(lambda: bus.dead_events(limit=10))
            guest.fails_on.clear()
            assert await bus.redeliver(dead[0].id)
            await eventually(lambda: guest.seen == [poison])
            assert await bus.dead_events(limit=10) == []
            assert not await bus.redeliver(dead[0].id)
            assert not await bus.redeliver("0190a000-0000-7000-8000-000000000000")

    async def test_dead_events_are_listed_in_pages_latest_first(self, new_bus: NewBus) -> None:
        """The list of dead events goes on from any of its items."""
        guest = RecordingConsumer("guest")
        events = [event(f"sample-{n}", n) for n in range(3)]
        guest.fails_on.update(e.id for e in events)
        async with running(new_bus(guest)) as bus:
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
        """A name is a queue: using it twice is a mistake that shows at once."""
        with pytest.raises(ValueError, match="guest"):
            new_bus(RecordingConsumer("guest"), RecordingConsumer("guest"))

    async def test_only_the_chosen_consumers_run(self, new_bus: NewBus) -> None:
        """A process that serves one consumer leaves the events of the others to theirs."""
        mine, theirs = RecordingConsumer("mine"), RecordingConsumer("theirs")
        async with running(new_bus(mine, theirs), only=frozenset({"mine"})) as bus:
            await bus.publish([event()])
            await eventually(lambda: mine.seen)
        assert not theirs.seen
        theirs_later = RecordingConsumer("theirs")
        async with running(new_bus(RecordingConsumer("mine"), theirs_later), only=frozenset({"theirs"})):
            await eventually(lambda: theirs_later.seen)

    async def test_an_unknown_consumer_cannot_be_chosen(self, new_bus: NewBus) -> None:
        """A worker with a misspelt name ends at once instead of doing nothing for ever."""
        with pytest.raises(ValueError, match="gest"):
            await new_bus(RecordingConsumer("guest")).run(frozenset({"gest"}))

    async def test_a_bus_that_works_says_so(self, new_bus: NewBus) -> None:
        """The readiness check passes."""
        await new_bus(RecordingConsumer("guest")).check()


@asynccontextmanager
async def running(bus: EventBus, only: frozenset[str] | None = None) -> AsyncIterator[EventBus]:
    """Run the bus for the block."""
    task = asyncio.create_task(bus.run(only))
    try:
        yield bus
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
