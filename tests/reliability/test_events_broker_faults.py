"""The relay and the consumers on PostgreSQL and RabbitMQ during single faults."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import aiormq
import pytest
from sqlalchemy import func, select

from metastore.adapters.event_bus.rabbitmq import RabbitMqBus
from metastore.adapters.event_bus.retries import RetryPolicy
from metastore.kit.database.unit_of_work import Database
from metastore.kit.events.outbox import PENDING, OutboxEvent
from metastore.kit.ids import new_id
from metastore.processes.relay import Relay
from tests.contracts.event_bus import running
from tests.fixtures.events import RecordingConsumer, SampleRecorded
from tests.fixtures.rabbitmq import RabbitMq
from tests.fixtures.tcp_proxy import proxy_to
from tests.fixtures.waiting import eventually

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


async def test_an_event_committed_late_under_a_lower_id_is_not_skipped(
    database: Database, killable_rabbitmq: RabbitMq
) -> None:
    """Events of other transactions are delivered while it is open; its own event follows after the commit."""
    consumer = RecordingConsumer("consumer")
    async with relayed(database, killable_rabbitmq.url, consumer), AsyncExitStack() as late:
        slow = await late.enter_async_context(database.transaction())
        slow.record(SampleRecorded(sample="slow", number=0))
        await slow.flush()
        await record(database, 50)
        await eventually(lambda: distinct(consumer) == 50)
        await late.aclose()
        await eventually(lambda: consumer.numbers("slow") == [0])
    assert 51 == distinct(consumer)


async def test_events_wait_while_their_queue_is_unbound(database: Database, killable_rabbitmq: RabbitMq) -> None:
    """Events that the broker cannot route stay pending, and are published once the queue is bound again."""
    consumer = RecordingConsumer("consumer")
    prefix = new_id()
    connection = await aiormq.connect(killable_rabbitmq.url)
    channel = await connection.channel()
    async with relayed(database, killable_rabbitmq.url, consumer, prefix=prefix):
        await record(database, 1)
        await eventually(lambda: distinct(consumer) == 1)
        await channel.queue_unbind(f"{prefix}.consumer", f"{prefix}.events", "#")
        await record(database, 30)
        await eventually(lambda: attempts_on_pending(database))
        assert 30 == await pending(database)
        assert 1 == distinct(consumer)

        await channel.queue_bind(f"{prefix}.consumer", f"{prefix}.events", "#")
        await eventually(lambda: distinct(consumer) == 31)
        await eventually(lambda: nothing_pending(database))
    await connection.close()


async def test_one_poison_event_among_500_becomes_a_dead_letter(
    database: Database, killable_rabbitmq: RabbitMq
) -> None:
    """It does not delay the other events, which are all handled."""

    class FailsOnOne(RecordingConsumer):
        async def _handle(self, given: object) -> None:
            if getattr(given, "payload", {}).get("number") == 250:
                raise RuntimeError("poison")
            await super()._handle(given)  # type: ignore[arg-type]  # passed on unchanged

    consumer = FailsOnOne("consumer")
    async with relayed(database, killable_rabbitmq.url, consumer) as bus:
        await record(database, 500)
        await eventually(lambda: distinct(consumer) == 499)
        dead = await eventually(lambda: bus.dead_events(limit=10))
    assert [(250, 5)] == [(event.event.payload["number"], event.attempts) for event in dead]
    assert "poison" in dead[0].error


async def test_events_are_delivered_after_an_outage_of_the_broker(
    database: Database, killable_rabbitmq: RabbitMq
) -> None:
    """Events that were recorded during the outage are not lost."""
    consumer = RecordingConsumer("consumer")
    async with relayed(database, killable_rabbitmq.url, consumer):
        await record(database, 10)
        await eventually(lambda: distinct(consumer) == 10)
        await asyncio.to_thread(killable_rabbitmq.stop)
        await record(database, 10)
        await eventually(lambda: attempts_on_pending(database))
        killable_rabbitmq.launch()
        await eventually(killable_rabbitmq.ready)
        await eventually(lambda: len({event.id for event in consumer.seen}) == 20)


async def test_relay_and_consumer_reconnect_to_a_broker_that_stopped_responding(
    database: Database, killable_rabbitmq: RabbitMq
) -> None:
    """A connection that is open but silent delays them no longer than their time limits."""
    consumer = RecordingConsumer("consumer")
    async with proxy_to(killable_rabbitmq.port) as proxy:
        url = f"amqp://guest:guest@127.0.0.1:{proxy.port}/"
        async with relayed(database, url, consumer, request_timeout=0.5, heartbeat=1):
            await record(database, 10)
            await eventually(lambda: distinct(consumer) == 10)
            proxy.blackhole = True
            await record(database, 10)
            await eventually(lambda: attempts_on_pending(database))
            proxy.blackhole = False
            await eventually(lambda: len({event.id for event in consumer.seen}) == 20)


@asynccontextmanager
async def relayed(
    database: Database,
    url: str,
    consumer: RecordingConsumer,
    *,
    prefix: str | None = None,
    request_timeout: float = 15,
    heartbeat: int = 6,
) -> AsyncIterator[RabbitMqBus]:
    """Run a relay and a worker with one consumer, and yield the worker's bus."""
    prefix = prefix or new_id()
    settings = {
        "prefix": prefix,
        "retry_policy": RetryPolicy((0.05,)),
        "request_timeout": request_timeout,
        "heartbeat": heartbeat,
    }
    relay_bus, worker_bus = RabbitMqBus(url, **settings), RabbitMqBus(url, **settings)  # type: ignore[arg-type]  # the dict mixes types
    for bus in (relay_bus, worker_bus):
        bus.subscribe(consumer.subscription)
    relay = asyncio.create_task(Relay(database, relay_bus, poll_interval=0.1).run())
    try:
        async with running(worker_bus):
            yield worker_bus
    finally:
        relay.cancel()
        await asyncio.gather(relay, return_exceptions=True)
        await asyncio.gather(relay_bus.aclose(), worker_bus.aclose())


async def record(database: Database, count: int) -> None:
    """Record that many events of a few aggregates in one transaction."""
    async with database.transaction() as tx:
        for number in range(count):
            tx.record(SampleRecorded(sample=f"sample-{number % 7}", number=number))


def distinct(consumer: RecordingConsumer) -> int:
    """Count the events that the consumer has handled; one whose confirm was late is published and handled again."""
    return len({event.id for event in consumer.seen})


async def pending(database: Database) -> int:
    """Return how many events are unpublished."""
    async with database.reading() as tx:
        count = select(func.count()).where(OutboxEvent.status == PENDING)
        return int(await tx.session.scalar(count) or 0)


async def nothing_pending(database: Database) -> bool:
    """Return whether every event is published."""
    return await pending(database) == 0


async def attempts_on_pending(database: Database) -> int:
    """Return the greatest number of failed attempts to publish a pending event."""
    async with database.reading() as tx:
        attempts = select(func.max(OutboxEvent.attempts)).where(OutboxEvent.status == PENDING)
        return int(await tx.session.scalar(attempts) or 0)
