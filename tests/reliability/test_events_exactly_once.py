"""On PostgreSQL and RabbitMQ, no event is lost or takes effect twice, whichever process is killed."""

import asyncio
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import pytest
from sqlalchemy import select, text

from metastore.kit.database.unit_of_work import Database
from metastore.kit.events.outbox import OutboxEvent, RecordedEvent
from metastore.kit.ids import new_id
from tests.contracts.event_bus import running
from tests.fixtures.events import SampleRecorded
from tests.fixtures.killable_event_processes import CONSUMERS, counting_bus
from tests.fixtures.rabbitmq import RabbitMq
from tests.fixtures.waiting import eventually

EVENTS, KILLS = 2000, 20

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture
async def effects(database: Database) -> None:
    """Create a table of effects without a unique constraint, so that a repeated effect shows."""
    async with database.transaction() as tx:
        await tx.session.execute(text("CREATE TABLE test_effects (consumer text, event_id text)"))


@pytest.mark.usefixtures("effects")
async def test_every_event_has_each_effect_once_while_processes_are_killed(
    database: Database, killable_rabbitmq: RabbitMq
) -> None:
    """2,000 events have 2,000 effects of each kind while 20 processes, and the broker three times, are killed."""
    prefix = new_id()
    queues = [f"{prefix}.{consumer}{dead}" for consumer in CONSUMERS for dead in ("", ".dead")]
    async with killable_processes(database, killable_rabbitmq, prefix) as killed:
        recording = asyncio.create_task(_record(database, EVENTS))
        for so_far in (400, 1000, 1600):
            await eventually(partial(_has_effects, database, so_far), timeout=150)
            await eventually(partial(killable_rabbitmq.has_persisted, *queues))
            killable_rabbitmq.kill()
            killable_rabbitmq.launch()
            await eventually(killable_rabbitmq.ready, timeout=150)
        await recording
        await eventually(killed.done, timeout=150)
        await eventually(lambda: _has_effects(database, EVENTS * len(CONSUMERS)), timeout=150, interval=0.1)
    await _assert_each_effect_once(database, EVENTS)


@pytest.mark.usefixtures("effects")
async def test_redelivering_everything_in_another_order_changes_nothing(
    database: Database, killable_rabbitmq: RabbitMq
) -> None:
    """Every event is published a second time, in random order, and no effect happens twice."""
    await _record(database, 200)
    async with database.reading() as tx:
        rows = (await tx.session.execute(select(OutboxEvent).order_by(OutboxEvent.id))).scalars()
        events = [
            RecordedEvent(row.id, row.event_type, row.aggregate, row.payload, row.headers, row.created_at)
            for row in rows
        ]
    deliveries = Counter[str]()
    bus = counting_bus(database, killable_rabbitmq.url, new_id(), deliveries)
    async with running(bus):
        await bus.publish(events)
        await eventually(lambda: _has_effects(database, 200 * len(CONSUMERS)))
        random.Random("another order").shuffle(events)
        await bus.publish(events)
        await eventually(lambda: deliveries.total() == 2 * 200 * len(CONSUMERS))
    await bus.aclose()
    await _assert_each_effect_once(database, 200)


@asynccontextmanager
async def killable_processes(
    database: Database, killable_rabbitmq: RabbitMq, prefix: str
) -> AsyncIterator["asyncio.Task[bytes]"]:
    """Run relays and workers that are killed repeatedly; the yielded task is done after the last kill."""
    url = database.url.render_as_string(hide_password=False)
    arguments = [url, killable_rabbitmq.url, prefix, "seed", str(KILLS)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.fixtures.killable_event_processes", *arguments, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    killed = asyncio.create_task(process.stdout.readline())
    try:
        yield killed
    finally:
        process.kill()
        await process.communicate()
        killed.cancel()


async def _record(database: Database, count: int) -> None:
    for start in range(0, count, 20):
        async with database.transaction() as tx:
            for number in range(start, start + 20):
                tx.record(SampleRecorded(sample=f"sample-{number % 37}", number=number))


async def _has_effects(database: Database, at_least: int) -> bool:
    async with database.reading() as tx:
        return int(await tx.session.scalar(text("SELECT count(*) FROM test_effects")) or 0) >= at_least


async def _assert_each_effect_once(database: Database, events: int) -> None:
    async with database.reading() as tx:
        effects = (await tx.session.execute(text("SELECT consumer, event_id FROM test_effects"))).all()
        recorded = (await tx.session.execute(select(OutboxEvent.id))).scalars().all()
    assert events == len(recorded)
    expected = Counter((consumer, event_id) for consumer in CONSUMERS for event_id in recorded)
    assert expected == Counter((consumer, event_id) for consumer, event_id in effects)
