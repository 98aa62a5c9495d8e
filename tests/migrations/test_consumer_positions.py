"""What the queues of the in-process bus held before consumers had positions is delivered after the upgrade."""

from collections.abc import AsyncIterator, Sequence

import pytest
from sqlalchemy import text

from metastore import migrations
from metastore.adapters.event_bus.inprocess.bus import InProcessBus
from metastore.kit.database.unit_of_work import Database, Transaction
from metastore.kit.events.consumer import AfterCommit, Consumer
from metastore.kit.events.outbox import RecordedEvent
from metastore.processes.consumers import subscribe_all
from metastore.processes.relay import Relay
from tests.contracts.event_bus import running
from tests.fixtures.events import SampleRecorded
from tests.fixtures.postgres import Postgres
from tests.fixtures.waiting import eventually

_RECORD = text(
    "INSERT INTO outbox_events (id, event_type, aggregate, payload, headers, status, attempts, created_at)"
    " VALUES (:id, 'sample.recorded', 'sample:copper', '{}', '{}', :status, 0, CURRENT_TIMESTAMP)"
)
_QUEUE = text(
    "INSERT INTO queued_events (id, consumer, event_id, event_type, aggregate, payload, headers, created_at, attempts)"
    " VALUES (:id, :consumer, :id, 'sample.recorded', 'sample:copper', '{}', '{}', CURRENT_TIMESTAMP, 0)"
)
_HANDLED = text("INSERT INTO inbox_events (consumer, event_id, handled_at) VALUES ('first', :id, CURRENT_TIMESTAMP)")


@pytest.fixture(params=["sqlite", "postgresql"])
async def old_url(request: pytest.FixtureRequest, tmp_path: object) -> AsyncIterator[str]:
    """A database as the revision before left it."""
    if request.param == "sqlite":
        url = f"sqlite+aiosqlite:///{tmp_path}/old.db"
        await migrations.upgrade(url, "0006")
        yield url
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = server.create_database()
    await migrations.upgrade(server.url(name), "0006")
    yield server.url(name)
    server.drop_database(name)


async def test_undelivered_events_are_handled_once_and_before_new_ones(old_url: str) -> None:
    """``a`` was handled but is still queued; ``c`` was queued but not marked; ``d`` is new."""
    database = Database(old_url)
    async with database.transaction() as tx:
        for event_id, status in (("a", "published"), ("b", "published"), ("c", "pending"), ("d", "pending")):
            await tx.session.execute(_RECORD, {"id": event_id, "status": status})
        for event_id in ("a", "b", "c"):
            await tx.session.execute(_QUEUE, {"id": event_id, "consumer": "first"})
        await tx.session.execute(_HANDLED, {"id": "a"})
    await database.aclose()
    await migrations.upgrade(old_url)
    assert ["b", "c", "d"] == await _handled(old_url, 3)


async def test_after_a_downgrade_only_those_that_are_behind_get_an_event_again(old_url: str) -> None:
    await migrations.upgrade(old_url)
    database = Database(old_url)
    async with database.transaction() as tx:
        for event_id, position in (("a", 1), ("b", 2), ("c", 3)):
            await tx.session.execute(_RECORD, {"id": event_id, "status": "published"})
            await tx.session.execute(
                text("UPDATE outbox_events SET position = :position, published_at = created_at WHERE id = :id"),
                {"id": event_id, "position": position},
            )
        for consumer, position in (("", 3), ("first", 3), ("second", 1)):
            await tx.session.execute(
                text("INSERT INTO consumer_positions VALUES (:consumer, :position)"),
                {"consumer": consumer, "position": position},
            )
    await database.aclose()
    await migrations.downgrade(old_url, "0006")
    database = Database(old_url)
    async with database.reading() as tx:
        pending = await tx.session.scalars(text("SELECT id FROM outbox_events WHERE status = 'pending' ORDER BY id"))
        assert ["b", "c"] == list(pending)
        handled = await tx.session.execute(text("SELECT consumer, event_id FROM inbox_events ORDER BY event_id"))
        assert [("first", "b"), ("first", "c")] == [tuple(row) for row in handled]
    await database.aclose()


async def _handled(url: str, count: int) -> list[str]:
    """Run relay and bus until the consumer ``first`` has handled this many events, and return their ids."""
    database = Database(url)
    bus = InProcessBus(database)
    seen: list[str] = []

    async def handle(_tx: Transaction, events: Sequence[RecordedEvent]) -> Sequence[AfterCommit]:
        seen.extend(event.id for event in events)
        return ()

    subscribe_all(bus, database, [Consumer("first", in_batches={SampleRecorded.event_type: handle})])
    async with running(bus):
        await Relay(database, bus).publish_batch()
        await eventually(lambda: len(seen) >= count)
        await eventually(lambda: _nothing_is_queued(database))
    await database.aclose()
    return seen


async def _nothing_is_queued(database: Database) -> bool:
    async with database.reading() as tx:
        return not await tx.session.scalar(text("SELECT count(*) FROM queued_events"))
