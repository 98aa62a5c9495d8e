"""Behaviour of the RabbitMQ bus beyond the event bus contract."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import aiormq
import pytest
from pamqp import commands as amqp
from pamqp.common import FieldTable

from metastore.adapters.event_bus.rabbitmq import RabbitMqBus, dead_letter_queues
from metastore.adapters.event_bus.rabbitmq.dead_letter import read_dead_letter
from metastore.adapters.event_bus.retries import RetryPolicy
from metastore.kit.events import cloudevents
from metastore.kit.ids import new_id
from metastore.ports.event_bus import MAX_ATTEMPTS, BusUnavailableError, DeadEvent
from tests.contracts.event_bus import running
from tests.fixtures.events import RecordingConsumer, event
from tests.fixtures.rabbitmq import SharedRabbitMq
from tests.fixtures.waiting import eventually


class BusFactory:
    """Create buses that share a prefix. ``channel`` is a separate channel to the broker."""

    def __init__(self, url: str, channel: aiormq.abc.AbstractChannel) -> None:
        self.url = url
        self.prefix = new_id()
        self.channel = channel
        self.buses: list[RabbitMqBus] = []

    def create(self, *consumers: RecordingConsumer) -> RabbitMqBus:
        """Return a new bus with the given consumers."""
        bus = RabbitMqBus(self.url, prefix=self.prefix, retry_policy=RetryPolicy((0.05,)))
        for consumer in consumers:
            bus.subscribe(consumer.subscription)
        self.buses.append(bus)
        return bus


@pytest.fixture
async def factory(rabbitmq: SharedRabbitMq) -> AsyncIterator[BusFactory]:
    """A factory with a prefix of its own."""
    connection = await aiormq.connect(rabbitmq.url)
    factory = BusFactory(rabbitmq.url, await connection.channel())
    yield factory
    await asyncio.gather(*(bus.aclose() for bus in factory.buses))
    await connection.close()


async def test_only_unroutable_events_are_refused(factory: BusFactory) -> None:
    """The error names the events that were published and those that were returned."""
    bus = factory.create(RecordingConsumer("recorder", "sample.recorded", "sample.updated"))
    await bus.check()
    await factory.channel.queue_unbind(f"{factory.prefix}.recorder", f"{factory.prefix}.events", "sample.updated")
    recorded, updated = event(), event(event_type="sample.updated")
    with pytest.raises(BusUnavailableError) as failure:
        await bus.publish([updated, recorded])
    assert frozenset({recorded.id}) == failure.value.taken
    assert frozenset({updated.id}) == failure.value.refused


async def test_an_unbound_queue_is_bound_again_before_each_batch(factory: BusFactory) -> None:
    """The broker reports only events that reach no queue at all, so the bus must restore the bindings itself."""
    unselective = RecordingConsumer("unselective")
    selective = RecordingConsumer("selective", "sample.recorded", "sample.updated")
    sent = [event(number=n) for n in range(3)]
    async with running(factory.create(unselective, selective)) as bus:
        for one in sent:
            await bus.check()
            await factory.channel.queue_unbind(
                f"{factory.prefix}.selective", f"{factory.prefix}.events", "sample.recorded"
            )
            await factory.channel.queue_unbind(f"{factory.prefix}.unselective", f"{factory.prefix}.events", "#")
            await bus.publish([one])
        await eventually(lambda: len(selective.seen) == len(unselective.seen) == 3)


async def test_a_deleted_queue_fails_the_batch_and_is_declared_again(factory: BusFactory) -> None:
    """No event counts as published until every subscribed consumer has a queue."""
    bus = factory.create(RecordingConsumer("unselective"), RecordingConsumer("selective", "sample.recorded"))
    await bus.publish([event(number=0)])
    await factory.channel.queue_delete(f"{factory.prefix}.selective")
    with pytest.raises(BusUnavailableError) as failure:
        await bus.publish([event(number=1)])
    assert (frozenset(), frozenset()) == (failure.value.taken, failure.value.refused)
    await bus.publish([event(number=1)])
    unselective, selective = RecordingConsumer("unselective"), RecordingConsumer("selective", "sample.recorded")
    async with running(factory.create(unselective, selective)):
        await eventually(lambda: selective.numbers("copper") == [1] and 1 in unselective.numbers("copper"))


def test_all_attempts_take_at_most_half_a_minute() -> None:
    """Events that wait for a retry take up a worker's limited number of unsettled deliveries."""
    assert sum(RetryPolicy().delay_after(attempt) for attempt in range(1, MAX_ATTEMPTS)) <= 31


async def test_a_message_that_is_not_an_event_is_dead_lettered_at_once(factory: BusFactory) -> None:
    """Other events are delivered."""
    recorder = RecordingConsumer("recorder")
    async with running(factory.create(recorder)) as bus:
        await bus.check()
        await factory.channel.basic_publish(b"\xff no event", exchange=f"{factory.prefix}.events", routing_key="other")
        await bus.publish([event()])
        await eventually(lambda: recorder.seen)
        dead = await eventually(lambda: bus.dead_events(limit=10))
    assert [("unknown", 1)] == [(one.event.event_type, one.attempts) for one in dead]
    assert "NotAnEventError" in dead[0].error


async def test_a_message_that_is_not_an_event_is_redelivered_unchanged(factory: BusFactory) -> None:
    """It is dead-lettered again, even if its consumer subscribes to some types only."""
    async with running(factory.create(RecordingConsumer("recorder", "other"))) as bus:
        await bus.check()
        await factory.channel.basic_publish(b"\xff no event", exchange=f"{factory.prefix}.events", routing_key="other")
        (first,) = await eventually(lambda: bus.dead_events(limit=10))
        assert await bus.redeliver(first.id)
        (second,) = await eventually(lambda: bus.dead_events(limit=10))
    assert first.id != second.id
    assert first.event == second.event
    assert "NotAnEventError" in second.error


async def test_listing_many_dead_letters_yields_to_the_event_loop(
    factory: BusFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are decoded a hundred at a time, and listing loses none."""
    bus = factory.create(RecordingConsumer("recorder"))
    await bus.check()
    count = 250
    headers: FieldTable = {
        "metastore-attempts": 5,
        "metastore-error": "no",
        "metastore-died-at": "2026-01-02T03:04:05Z",
    }
    for _ in range(count):
        await factory.channel.basic_publish(
            cloudevents.encode(event()),
            exchange=f"{factory.prefix}.dead",
            routing_key="recorder",
            properties=amqp.Basic.Properties(headers={**headers, "metastore-dead-id": new_id()}),
        )
    turn = 0
    decoded_in_turn: Counter[int] = Counter()

    def counted(consumer: str, message: aiormq.abc.DeliveredMessage) -> DeadEvent:
        decoded_in_turn[turn] += 1
        return read_dead_letter(consumer, message)

    async def count_turns() -> None:
        nonlocal turn
        while True:
            turn += 1
            await asyncio.sleep(0)

    monkeypatch.setattr(dead_letter_queues, "read_dead_letter", counted)
    counting = asyncio.create_task(count_turns())
    assert count == len(await bus.dead_events(limit=2 * count))
    counting.cancel()
    assert [50, 100, 100] == sorted(decoded_in_turn.values())
    assert count == len(await bus.dead_events(limit=2 * count))


async def test_events_dead_lettered_by_the_broker_are_listed_and_can_be_redelivered(factory: BusFactory) -> None:
    """This happens to events that reach the delivery limit without being settled."""
    recorder = RecordingConsumer("recorder")
    bus = factory.create(recorder)
    poison = event()
    await bus.publish([poison])

    async def refuse(message: aiormq.abc.DeliveredMessage) -> None:
        await factory.channel.basic_nack(message.delivery_tag or 0, requeue=False)

    tag = (await factory.channel.basic_consume(f"{factory.prefix}.recorder", refuse)).consumer_tag
    dead = await eventually(lambda: bus.dead_events(limit=10))
    await factory.channel.basic_cancel(str(tag))
    assert [poison] == [one.event for one in dead]
    assert [dead[0].id] == [one.id for one in await bus.dead_events(limit=10)]
    assert await bus.redeliver(dead[0].id)
    async with running(bus):
        await eventually(lambda: recorder.seen == [poison])


async def test_a_standby_worker_takes_over_in_order(factory: BusFactory) -> None:
    """Of two workers with one name, only one is active; the other continues where it stopped."""
    first, second = RecordingConsumer("recorder"), RecordingConsumer("recorder")
    publisher = factory.create(RecordingConsumer("recorder"))
    async with running(factory.create(second)):
        await publisher.publish([event(number=0)])
        await eventually(lambda: second.seen)
        async with running(factory.create(first)):
            await publisher.publish([event(number=n) for n in range(1, 50)])
            await eventually(lambda: len(first.seen) + len(second.seen) == 50)
        assert [] == first.seen
    assert list(range(50)) == second.numbers("copper")
    async with running(factory.create(first)):
        await publisher.publish([event(number=50)])
        await eventually(lambda: first.numbers("copper") == [50])


async def test_an_unreachable_broker_raises_bus_unavailable(unused_tcp_port: int) -> None:
    """Publishing and checking fail within their timeouts, without the password in the message."""
    bus = RabbitMqBus(f"amqp://guest:secret@127.0.0.1:{unused_tcp_port}/")
    bus.subscribe(RecordingConsumer("recorder").subscription)
    for call in (bus.check(), bus.publish([event()])):
        with pytest.raises(BusUnavailableError) as failure:
            await call
        assert "secret" not in str(failure.value)
    await bus.aclose()
