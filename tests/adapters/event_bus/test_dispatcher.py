"""The dispatcher of the brokers' adapters handles what arrives together in batches, each event once and in order."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from metastore.adapters.event_bus import dispatcher as dispatcher_module
from metastore.adapters.event_bus.dispatcher import Dispatcher
from metastore.adapters.event_bus.retries import RetryPolicy
from metastore.kit.events.outbox import RecordedEvent
from metastore.kit.problems.problem import unavailable
from metastore.ports.event_bus import MAX_ATTEMPTS, Settle, Subscription
from tests.fixtures.events import event
from tests.fixtures.waiting import eventually


@dataclass
class Deliveries:
    """A consumer of batches, and what became of its deliveries."""

    poison: set[str] = field(default_factory=set)
    outside: set[str] = field(default_factory=set)
    error: Exception = field(default_factory=lambda: ValueError("refused by the test"))
    handled: list[RecordedEvent] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    settled: list[str] = field(default_factory=list)
    dead: list[tuple[str, int]] = field(default_factory=list)

    async def handle(self, given: RecordedEvent) -> None:
        """Handle one event, or fail."""
        await asyncio.sleep(0)
        if given.id in self.poison:
            raise self.error
        self.handled.append(given)

    async def handle_batch(self, events: Sequence[RecordedEvent], settle: Settle | None) -> int:
        """Handle all leading events that can be part of a batch, or fail."""
        assert settle is None
        await asyncio.sleep(0)
        leading: list[RecordedEvent] = []
        for each in events:
            if each.id in self.outside:
                break
            leading.append(each)
        if any(each.id in self.poison for each in leading):
            raise self.error
        self.batches.append(len(leading))
        self.handled.extend(leading)
        return len(leading)

    async def settle(self, token: str) -> None:
        """Record a settled delivery."""
        self.settled.append(token)

    async def dead_letter(self, token: str, _event: RecordedEvent, attempts: int, _error: str) -> None:
        """Record a dead letter."""
        self.dead.append((token, attempts))

    @asynccontextmanager
    async def dispatcher(self) -> AsyncIterator[Dispatcher[str]]:
        """A dispatcher for this consumer, with event ids as tokens."""
        subscription = Subscription("first", frozenset(), self.handle, self.handle_batch)
        policy = RetryPolicy(backoff=(0.01,), outage_interval=0.01)
        dispatcher = Dispatcher(subscription, policy, settle=self.settle, dead_letter=self.dead_letter)
        yield dispatcher
        await dispatcher.aclose()


def numbers(events: Sequence[RecordedEvent], sample: str) -> list[object]:
    """Return the numbers of the events about that sample."""
    return [each.payload["number"] for each in events if each.aggregate == f"sample:{sample}"]


async def test_what_arrives_together_is_handled_in_batches_and_in_order() -> None:
    deliveries = Deliveries()
    async with deliveries.dispatcher() as dispatcher:
        for number in range(300):
            given = event("copper", number)
            dispatcher.add(given.id, given)
        await eventually(lambda: len(deliveries.settled) == 300)
    assert list(range(300)) == numbers(deliveries.handled, "copper")
    assert len(deliveries.batches) <= 3


async def test_one_poison_of_200_is_dead_lettered_and_the_others_are_handled_once_and_in_order() -> None:
    deliveries = Deliveries()
    events = [event(("copper", "iron", "tin")[number % 3], number) for number in range(200)]
    deliveries.poison = {events[100].id}
    async with deliveries.dispatcher() as dispatcher:
        for given in events:
            dispatcher.add(given.id, given)
        await eventually(lambda: len(deliveries.settled) == 199 and deliveries.dead)
    assert [(events[100].id, MAX_ATTEMPTS)] == deliveries.dead
    assert len({each.id for each in deliveries.handled}) == len(deliveries.handled) == 199
    for sample in ("copper", "iron", "tin"):
        expected = [each for each in events if each.id not in deliveries.poison]
        assert numbers(expected, sample) == numbers(deliveries.handled, sample)


async def test_events_that_cannot_be_part_of_a_batch_are_handled_alone_and_in_order() -> None:
    deliveries = Deliveries()
    events = [event(("copper", "iron")[number % 2], number) for number in range(60)]
    deliveries.outside = {each.id for each in events[::7]}
    async with deliveries.dispatcher() as dispatcher:
        for given in events:
            dispatcher.add(given.id, given)
        await eventually(lambda: len(deliveries.settled) == 60)
    for sample in ("copper", "iron"):
        assert numbers(events, sample) == numbers(deliveries.handled, sample)


async def test_many_events_outside_batches_are_not_held_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a batch that succeeds delays the next one."""
    monkeypatch.setattr(dispatcher_module, "GATHER", 3600)
    deliveries = Deliveries()
    events = [event(f"sample-{number}", number) for number in range(100)]
    deliveries.outside = {each.id for each in events}
    async with deliveries.dispatcher() as dispatcher:
        for given in events:
            dispatcher.add(given.id, given)
        await eventually(lambda: len(deliveries.settled) >= 99)


@pytest.mark.parametrize("error", [unavailable("offline"), TimeoutError()], ids=["outage", "timeout"])
async def test_a_batch_that_meets_an_outage_or_hangs_is_handled_one_by_one(error: Exception) -> None:
    """Halving it would repeat the wait again and again."""
    deliveries = Deliveries(error=error)
    events = [event(f"sample-{number}", number) for number in range(20)]
    deliveries.poison = {events[3].id}
    async with deliveries.dispatcher() as dispatcher:
        for given in events:
            dispatcher.add(given.id, given)
        await eventually(lambda: len(deliveries.settled) >= 19)
        deliveries.poison.clear()
        await eventually(lambda: len(deliveries.settled) + len(deliveries.dead) == 20)
    assert not deliveries.batches
