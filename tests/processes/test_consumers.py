"""Consumers joined to the bus: one effect an event, and mistakes in the wiring found at the start."""

import random

import pytest
from sqlalchemy import Column, MetaData, String, Table, func, insert, select

from metastore.kit.consumer import AfterCommit, Consumer
from metastore.kit.context import RequestContext, current_context, open_context
from metastore.kit.database import Database, Transaction
from metastore.kit.ids import new_id
from metastore.kit.outbox import OutboxEvent, RecordedEvent
from metastore.processes.consumers import WiringError, handler_of, subscribe_all, together_of
from tests.fixtures.buses import DeafBus
from tests.fixtures.events import KettleBoiled, event

# A table for effects, apart from the product's own.
CUPS = Table("test_cups", MetaData(), Column("id", String(36), primary_key=True), Column("event_id", String(36)))


@pytest.fixture
async def cups(database: Database) -> Database:
    """A database with a table for effects."""
    async with database.engine.begin() as connection:
        await connection.run_sync(CUPS.create)
    return database


async def _fill_cup(tx: Transaction, given: RecordedEvent) -> AfterCommit | None:
    await tx.session.execute(insert(CUPS).values(id=new_id(), event_id=given.id))
    return None


async def _count(database: Database) -> int:
    async with database.reading() as tx:
        return await tx.session.scalar(select(func.count()).select_from(CUPS)) or 0


async def test_events_redelivered_in_another_order_have_their_effect_once(cups: Database) -> None:
    """However often and in whatever order events come, each has exactly one effect."""
    handle = handler_of(Consumer("waiter", in_transaction={"kettle.boiled": _fill_cup}), cups)
    events = [event(number=n) for n in range(10)]
    again = events * 3
    random.Random(7).shuffle(again)
    for given in again:
        await handle(given)
    assert 10 == await _count(cups)


async def test_two_consumers_each_have_their_effect(cups: Database) -> None:
    """What one consumer has dealt with is still news to another."""
    given = event()
    for name in ("waiter", "cook"):
        await handler_of(Consumer(name, in_transaction={"kettle.boiled": _fill_cup}), cups)(given)
    assert 2 == await _count(cups)


async def test_an_effect_that_fails_leaves_nothing_and_can_be_tried_again(cups: Database) -> None:
    """When a handler raises, neither its rows nor the note that it ran are kept."""
    fail = True

    async def spill(tx: Transaction, given: RecordedEvent) -> AfterCommit | None:
        await _fill_cup(tx, given)
        if fail:
            raise RuntimeError("spilt")
        return None

    handle = handler_of(Consumer("waiter", in_transaction={"kettle.boiled": spill}), cups)
    given = event()
    with pytest.raises(RuntimeError, match="spilt"):
        await handle(given)
    assert 0 == await _count(cups)
    fail = False
    await handle(given)
    assert 1 == await _count(cups)


async def test_what_follows_the_commit_runs_after_it_and_once(cups: Database) -> None:
    """A follow-up sees the committed effect, and a redelivered event does not repeat it."""
    seen: list[int] = []

    async def announce() -> None:
        seen.append(await _count(cups))

    async def fill_and_announce(tx: Transaction, given: RecordedEvent) -> AfterCommit | None:
        await _fill_cup(tx, given)
        return announce

    handle = handler_of(Consumer("waiter", in_transaction={"kettle.boiled": fill_and_announce}), cups)
    given = event()
    await handle(given)
    await handle(given)
    assert [1] == seen


async def test_a_failing_follow_up_does_not_fail_the_event(cups: Database) -> None:
    """The effect is committed; a message that could not be sent is no reason to deliver the event again."""

    async def break_off() -> None:
        raise RuntimeError("no socket")

    async def fill_then_break(tx: Transaction, given: RecordedEvent) -> AfterCommit | None:
        await _fill_cup(tx, given)
        return break_off

    await handler_of(Consumer("waiter", in_transaction={"kettle.boiled": fill_then_break}), cups)(event())
    assert 1 == await _count(cups)


async def test_an_outside_handler_runs_on_every_delivery(database: Database) -> None:
    """An effect outside the database is repeated when its event is."""
    seen: list[str] = []

    async def call(given: RecordedEvent) -> None:
        seen.append(given.id)

    handle = handler_of(Consumer("caller", outside={"kettle.boiled": call}), database)
    given = event()
    await handle(given)
    await handle(given)
    assert [given.id] * 2 == seen


async def test_a_consumer_of_every_event_gets_all_types(cups: Database) -> None:
    """A handler for every event needs no list of types."""
    handle = handler_of(Consumer("witness", every=_fill_cup), cups)
    await handle(event(event_type="kettle.boiled"))
    await handle(event(event_type="cup.filled"))
    assert 2 == await _count(cups)


async def test_events_recorded_by_a_consumer_carry_the_request_that_caused_them(database: Database) -> None:
    """Request id and actor of the causing event go on to what follows from it."""

    async def boil_again(tx: Transaction, given: RecordedEvent) -> AfterCommit | None:
        tx.record(KettleBoiled(kettle="iron"))
        return None

    with open_context(RequestContext("request-1", address="192.0.2.1", actor_id="user-1")):
        row = KettleBoiled(kettle="copper").outbox_row()
    cause = RecordedEvent(row.id, row.event_type, row.aggregate, row.payload, row.headers, row.created_at)
    await handler_of(Consumer("cook", in_transaction={"kettle.boiled": boil_again}), database)(cause)
    async with database.reading() as tx:
        headers = await tx.session.scalar(select(OutboxEvent.headers))
    assert {"requestId": "request-1", "actorId": "user-1", "version": "1"} == headers
    assert current_context() is None


@pytest.mark.parametrize(
    ("consumers", "complaint"),
    [
        ([Consumer("idle")], "the consumer idle has no handler"),
        ([Consumer("deaf", in_transaction={"kettle.burst": _fill_cup})], "deaf waits for kettle.burst, which nothing"),
        ([Consumer("twin", every=_fill_cup), Consumer("twin", every=_fill_cup)], "two consumers are named twin"),
        (
            [Consumer("greedy", every=_fill_cup, in_transaction={"kettle.boiled": _fill_cup})],
            "greedy handles every event and some events besides",
        ),
    ],
)
async def test_mistakes_in_the_wiring_stop_the_start(
    database: Database, consumers: list[Consumer], complaint: str
) -> None:
    """A consumer that could never do anything is named before the product runs."""
    with pytest.raises(WiringError, match=complaint):
        subscribe_all(DeafBus(), database, consumers)


async def test_consumers_are_subscribed_to_what_they_handle(database: Database) -> None:
    """Sound consumers are subscribed by name and type."""
    bus = DeafBus()
    subscribe_all(bus, database, [Consumer("waiter", in_transaction={"kettle.boiled": _fill_cup})])
    assert [("waiter", frozenset({"kettle.boiled"}))] == [(s.consumer, s.event_types) for s in bus.subscriptions]


async def test_several_events_have_their_effects_as_one_and_each_once(cups: Database) -> None:
    """Also those that were delivered before, alone."""
    consumer = Consumer("waiter", in_transaction={"kettle.boiled": _fill_cup})
    events = [event(number=n) for n in range(4)]
    await handler_of(consumer, cups)(events[1])
    handled = 0
    while len(events) - handled > 1:
        handled += await together_of(consumer, cups)(events[handled:])
    for left in events[handled:]:
        await handler_of(consumer, cups)(left)
    assert 4 == await _count(cups)


async def test_when_one_of_several_fails_none_has_its_effect(cups: Database) -> None:
    """So that they can be handled one by one."""
    events = [event(number=n) for n in range(3)]

    async def fail_at_the_second(tx: Transaction, given: RecordedEvent) -> AfterCommit | None:
        await _fill_cup(tx, given)
        if given is events[1]:
            raise ValueError("cold")
        return None

    consumer = Consumer("waiter", in_transaction={"kettle.boiled": fail_at_the_second})
    with pytest.raises(ValueError, match="cold"):
        await together_of(consumer, cups)(events)
    assert 0 == await _count(cups)


async def test_what_acts_elsewhere_is_never_handled_with_others(cups: Database) -> None:
    """A slow call must hold no transaction open."""

    async def pour(_given: RecordedEvent) -> None:
        raise AssertionError("poured")

    consumer = Consumer("waiter", outside={"kettle.boiled": pour})
    assert await together_of(consumer, cups)([event(), event()]) == 0
