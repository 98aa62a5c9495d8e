"""The audit service: one unchangeable entry per event, with its request context."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from metastore.features.audit.consumers import consumers
from metastore.features.audit.models import CREATE_GUARDS, DROP_GUARDS
from metastore.features.audit.schemas import AuditLogOut, AuditQuery
from metastore.features.audit.service import AuditService
from metastore.kit.api.paging import Page
from metastore.kit.context import RequestContext, open_context
from metastore.kit.database.unit_of_work import Database
from metastore.kit.events.event import Event
from metastore.kit.events.outbox import OutboxEvent, RecordedEvent, pending_events
from metastore.kit.problems.problem import Problem
from metastore.processes.consumers import handler_of
from tests.fixtures.events import SampleRecorded, event

AUDIT = AuditService()


async def append(database: Database, *events: RecordedEvent) -> None:
    """Handle the events with the feature's consumer."""
    (consumer,) = consumers(AUDIT)
    for recorded_event in events:
        await handler_of(consumer, database)(recorded_event)


async def page(database: Database, **query: object) -> Page[AuditLogOut]:
    """Return a page of the audit trail."""
    async with database.reading() as tx:
        return await AUDIT.page(tx, AuditQuery.model_validate(query))


def recorded(event: Event, context: RequestContext) -> RecordedEvent:
    """Return the event as recorded in that context."""
    with open_context(context):
        row = OutboxEvent(**event.outbox_row())
    return RecordedEvent(row.id, row.event_type, row.aggregate, row.payload, row.headers, row.created_at)


async def test_an_event_redelivered_after_its_inbox_entry_was_deleted_has_one_entry(database: Database) -> None:
    event = recorded(SampleRecorded(sample="copper", number=7), RequestContext("request-1"))
    for _ in range(2):
        async with database.transaction() as tx:
            await AUDIT.append(tx, event)
    assert [event.id] == [entry.event_id for entry in (await page(database)).items]


async def test_an_entry_has_the_request_context(database: Database) -> None:
    """The payload of the event is in the details."""
    context = RequestContext("request-1", "192.0.2.1", "Lynx/2.9", "anna")
    event = recorded(SampleRecorded(sample="copper", number=7), context)
    await append(database, event)
    (entry,) = (await page(database)).items
    shown = entry.model_dump(by_alias=True, exclude={"id"})
    assert shown == {
        "eventId": event.id,
        "actorId": "anna",
        "action": "sample.recorded",
        "resource": "sample:copper",
        "address": "192.0.2.1",
        "userAgent": "Lynx/2.9",
        "requestId": "request-1",
        "details": {"sample": "copper", "number": 7},
        "occurredAt": event.created_at,
    }


async def test_an_event_outside_any_request_has_no_actor(database: Database) -> None:
    """Its entry has no address, user agent and request ID either."""
    await append(database, event())
    (entry,) = (await page(database)).items
    assert (None, None, None, None) == (entry.actor_id, entry.address, entry.user_agent, entry.request_id)


async def test_an_overlong_request_context_is_truncated(database: Database) -> None:
    """A client cannot prevent an entry with an overlong header."""
    context = RequestContext("r" * 1000, "a" * 1000, "u" * 1000, "anna")
    await append(database, recorded(SampleRecorded(sample="copper"), context))
    (entry,) = (await page(database)).items
    assert (128, 64, 500) == (len(entry.request_id or ""), len(entry.address or ""), len(entry.user_agent or ""))


async def test_a_redelivered_event_has_one_entry(database: Database) -> None:
    """Each event has exactly one entry."""
    first = event()
    await append(database, first, event(), first)
    assert 2 == len((await page(database)).items)


@pytest.mark.parametrize("change", ["UPDATE audit_logs SET actor_id = 'nobody'", "DELETE FROM audit_logs"])
async def test_the_database_rejects_changes_to_entries(database: Database, change: str) -> None:
    """Even by a statement that bypasses the application."""
    await append(database, event())
    with pytest.raises(DBAPIError, match="append-only"):
        async with database.engine.begin() as connection:
            await connection.execute(text(change))
    assert 1 == len((await page(database)).items)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_postgresql_rejects_truncate(database: Database) -> None:
    """Entries cannot be deleted in this way either."""
    with pytest.raises(DBAPIError, match="append-only"):
        async with database.engine.begin() as connection:
            await connection.execute(text("TRUNCATE audit_logs"))


async def test_the_triggers_can_be_dropped_and_created_again(database: Database) -> None:
    """As migrations do, on both databases."""
    await append(database, event())
    async with database.engine.begin() as connection:
        for statement in (*DROP_GUARDS[database.dialect], *CREATE_GUARDS[database.dialect]):
            await connection.execute(text(statement))
    with pytest.raises(DBAPIError, match="append-only"):
        async with database.engine.begin() as connection:
            await connection.execute(text("DELETE FROM audit_logs"))


async def test_the_trail_can_be_filtered(database: Database) -> None:
    """By actor, action, resource and time, separately and combined."""
    anna, ben = RequestContext("1", actor_id="anna"), RequestContext("2", actor_id="ben")
    first = recorded(SampleRecorded(sample="copper"), anna)
    second = recorded(SampleRecorded(sample="iron"), ben)
    third = event(event_type="cup.filled")
    await append(database, first, second, third)

    async def found(**query: object) -> set[str]:
        return {entry.event_id for entry in (await page(database, **query)).items}

    assert {first.id} == await found(actor="anna")
    assert {third.id} == await found(action="cup.filled")
    assert {second.id} == await found(resource="sample:iron")
    assert {second.id, third.id} == await found(since=second.created_at)
    assert {first.id} == await found(until=second.created_at)
    assert set() == await found(actor="anna", resource="sample:iron")
    assert {first.id, second.id, third.id} == await found(until=third.created_at + timedelta(seconds=1))


async def test_the_trail_is_paged_by_cursor_latest_first(database: Database) -> None:
    """No entry is repeated or left out, in whatever order entries were inserted."""
    events = [event(number=n) for n in range(5)]
    await append(database, *(events[n] for n in (3, 0, 4, 1, 2)))
    shown: list[str] = []
    cursor = None
    while True:
        part = await page(database, limit=2, cursor=cursor)
        shown += [entry.event_id for entry in part.items]
        cursor = part.next_cursor
        if cursor is None:
            break
    assert [e.id for e in reversed(events)] == shown


@pytest.mark.parametrize(
    "cursor", ["", "rubbish", "WzEsMl0", "WyIyMDI2IiwieCJd", "WyIyMDI2LTAxLTAxVDAwOjAwOjAwIiwieCJd"]
)
async def test_a_forged_cursor_is_rejected(database: Database, cursor: str) -> None:
    """The response is 422, whatever it contains."""
    with pytest.raises(Problem) as caught:
        await page(database, cursor=cursor)
    assert (422, "invalid-cursor") == (caught.value.status, caught.value.code)


async def test_refused_access_is_recorded_as_an_event(database: Database) -> None:
    """It reaches the audit trail like any other event."""
    with open_context(RequestContext("request-1", "192.0.2.1", actor_id="anna")):
        async with database.transaction() as tx:
            AUDIT.record_refused_access(tx, method="GET", path="/api/v1/files/x" + "y" * 1000, code="not-found")
    async with database.reading() as tx:
        await append(database, *await pending_events(tx, 10))
    (entry,) = (await page(database)).items
    assert ("access.refused", "anna", "user:anna") == (entry.action, entry.actor_id, entry.resource)
    assert 500 == len(str(entry.details["path"]))
    assert ("GET", "not-found") == (entry.details["method"], entry.details["code"])
