"""Subscribed consumers have one effect per event, and wiring mistakes stop the start."""

import random

import pytest
from sqlalchemy import Column, MetaData, String, Table, func, insert, select

from metastore.kit.context import RequestContext, current_context, open_context
from metastore.kit.database.unit_of_work import Database, Transaction
from metastore.kit.events.consumer import AfterCommit, Consumer
from metastore.kit.events.outbox import OutboxEvent, RecordedEvent
from metastore.kit.ids import new_id
from metastore.processes.consumers import WiringError, batch_handler_of, handler_of, subscribe_all
from tests.fixtures.buses import RecordingBus
from tests.fixtures.events import SampleRecorded, event

# A table for effects that is not part of the product's schema.
EFFECTS = Table("test_effects", MetaData(), Column("id", String(36), primary_key=True), Column("event_id", String(36)))


@pytest.fixture
async def effects(database: Database) -> Database:
    """A database with a table for effects."""
    async with database.engine.begin() as connection:
        await connection.run_sync(EFFECTS.create)
    return database


async def _record_effect(tx: Transaction, given: RecordedEvent) -> AfterCommit | None:
    await tx.session.execute(insert(EFFECTS).values(id=new_id(), event_id=given.id))
    return None


async def _count(database: Database) -> int:
    async with database.reading() as tx:
        return await tx.session.scalar(select(func.count()).select_from(EFFECTS)) or 0


async def test_events_redelivered_in_another_order_have_their_effect_once(effects: Database) -> None:
    """However often and in whatever order it is delivered, each event has exactly one effect."""
    handle = handler_of(Consumer("first", in_transaction={"sample.recorded": _record_effect}), effects)
    events = [event(number=n) for n in range(10)]
    again = events * 3
    random.Random(7).shuffle(again)
    for given in again:
        await handle(given)
    assert 10 == await _count(effects)


async def test_two_consumers_each_have_their_effect(effects: Database) -> None:
    """Consumers are independent of each other."""
    given = event()
    for name in ("first", "second"):
        await handler_of(Consumer(name, in_transaction={"sample.recorded": _record_effect}), effects)(given)
    assert 2 == await _count(effects)


async def test_a_failed_effect_leaves_nothing_and_can_be_retried(effects: Database) -> None:
    """When a handler raises, neither its effect nor the inbox row is committed."""
    fail = True

    async def handler(tx: Transaction, given: RecordedEvent) -> AfterCommit | None:
        await _record_effect(tx, given)
        if fail:
            raise RuntimeError("failed")
        return None

    handle = handler_of(Consumer("first", in_transaction={"sample.recorded": handler}), effects)
    given = event()
    with pytest.raises(RuntimeError, match="failed"):
        await handle(given)
    assert 0 == await _count(effects)
    fail = False
    await handle(given)
    assert 1 == await _count(effects)


async def test_a_follow_up_runs_once_after_the_commit(effects: Database) -> None:
    """A follow-up sees the committed effect, and a redelivered event does not repeat it."""
    seen: list[int] = []

    async def announce() -> None:
        seen.append(await _count(effects))

    async def record_and_announce(tx: Transaction, given: RecordedEvent) -> AfterCommit | None:
        await _record_effect(tx, given)
        return announce

    handle = handler_of(Consumer("first", in_transaction={"sample.recorded": record_and_announce}), effects)
    given = event()
    await handle(given)
    await handle(given)
    assert [1] == seen


async def test_a_failing_follow_up_does_not_fail_the_event(effects: Database) -> None:
    """The effect is committed; the event is not delivered again."""

    async def fail() -> None:
        raise RuntimeError("no socket")

    async def record_then_fail(tx: Transaction, given: RecordedEvent) -> AfterCommit | None:
        await _record_effect(tx, given)
        return fail

    await handler_of(Consumer("first", in_transaction={"sample.recorded": record_then_fail}), effects)(event())
    assert 1 == await _count(effects)


async def test_an_outside_handler_runs_on_every_delivery(database: Database) -> None:
    """An effect outside the database is repeated when its event is."""
    seen: list[str] = []

    async def call(given: RecordedEvent) -> None:
        seen.append(given.id)

    handle = handler_of(Consumer("caller", outside={"sample.recorded": call}), database)
    given = event()
    await handle(given)
    await handle(given)
    assert [given.id] * 2 == seen


async def test_a_consumer_of_every_event_gets_all_types(effects: Database) -> None:
    """A handler for every event needs no list of types."""
    handle = handler_of(Consumer("every", every=_record_effect), effects)
    await handle(event(event_type="sample.recorded"))
    await handle(event(event_type="other.recorded"))
    assert 2 == await _count(effects)


async def test_events_recorded_by_a_consumer_carry_the_context_of_their_cause(database: Database) -> None:
    """They have the request id and the actor of the causing event."""

    async def record_another(tx: Transaction, given: RecordedEvent) -> AfterCommit | None:
        tx.record(SampleRecorded(sample="iron"))
        return None

    with open_context(RequestContext("request-1", address="192.0.2.1", actor_id="user-1")):
        row = OutboxEvent(**SampleRecorded(sample="copper").outbox_row())
    cause = RecordedEvent(row.id, row.event_type, row.aggregate, row.payload, row.headers, row.created_at)
    await handler_of(Consumer("second", in_transaction={"sample.recorded": record_another}), database)(cause)
    async with database.reading() as tx:
        headers = await tx.session.scalar(select(OutboxEvent.headers))
    assert {"requestId": "request-1", "actorId": "user-1", "version": "1"} == headers
    assert current_context() is None


@pytest.mark.parametrize(
    ("consumers", "message"),
    [
        ([Consumer("empty")], "the consumer empty has no handler"),
        (
            [Consumer("unknown-type", in_transaction={"sample.broken": _record_effect})],
            "unknown-type waits for sample.broken, which nothing",
        ),
        (
            [Consumer("duplicate", every=_record_effect), Consumer("duplicate", every=_record_effect)],
            "two consumers are named duplicate",
        ),
        (
            [Consumer("mixed", every=_record_effect, in_transaction={"sample.recorded": _record_effect})],
            "mixed handles every event and some events in addition",
        ),
    ],
)
async def test_wiring_mistakes_stop_the_start(database: Database, consumers: list[Consumer], message: str) -> None:
    """The error names the consumer."""
    with pytest.raises(WiringError, match=message):
        subscribe_all(RecordingBus(), database, consumers)


async def test_consumers_are_subscribed_to_what_they_handle(database: Database) -> None:
    """By name and event types."""
    bus = RecordingBus()
    subscribe_all(bus, database, [Consumer("first", in_transaction={"sample.recorded": _record_effect})])
    assert [("first", frozenset({"sample.recorded"}))] == [(s.consumer, s.event_types) for s in bus.subscriptions]


async def test_a_batch_takes_effect_once_per_event(effects: Database) -> None:
    """Also for events that were delivered alone before."""
    consumer = Consumer("first", in_transaction={"sample.recorded": _record_effect})
    events = [event(number=n) for n in range(4)]
    await handler_of(consumer, effects)(events[1])
    handled = 0
    while len(events) - handled > 1:
        handled += await batch_handler_of(consumer, effects)(events[handled:])
    for left in events[handled:]:
        await handler_of(consumer, effects)(left)
    assert 4 == await _count(effects)


async def test_an_event_that_is_twice_in_a_batch_takes_effect_once(effects: Database) -> None:
    """A relay that is killed before it has marked an event as published leaves it to another, which publishes again."""
    first, second = event(), event()
    consumer = Consumer("first", in_transaction={"sample.recorded": _record_effect})
    assert 4 == await batch_handler_of(consumer, effects)([first, second, first, second])
    assert 2 == await _count(effects)


async def test_a_failed_batch_has_no_effect(effects: Database) -> None:
    """So the events can be handled one by one."""
    events = [event(number=n) for n in range(3)]

    async def fail_at_the_second(tx: Transaction, given: RecordedEvent) -> AfterCommit | None:
        await _record_effect(tx, given)
        if given is events[1]:
            raise ValueError("failed")
        return None

    consumer = Consumer("first", in_transaction={"sample.recorded": fail_at_the_second})
    with pytest.raises(ValueError, match="failed"):
        await batch_handler_of(consumer, effects)(events)
    assert 0 == await _count(effects)


async def test_outside_handlers_are_never_part_of_a_batch(effects: Database) -> None:
    """A slow call must not hold a transaction open."""

    async def call(_given: RecordedEvent) -> None:
        raise AssertionError("called")

    consumer = Consumer("first", outside={"sample.recorded": call})
    assert await batch_handler_of(consumer, effects)([event(), event()]) == 0
