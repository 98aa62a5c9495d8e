"""The audit trail: every fact once, with its circumstances, and never changed."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from metastore.features.audit.consumers import consumers
from metastore.features.audit.models import CREATE_GUARDS, DROP_GUARDS
from metastore.features.audit.schemas import AuditLogOut, AuditQuery
from metastore.features.audit.service import AuditService
from metastore.kit.context import RequestContext, open_context
from metastore.kit.database import Database
from metastore.kit.facts import Fact
from metastore.kit.outbox import RecordedEvent, pending_events
from metastore.kit.paging import Page
from metastore.kit.problem import Problem
from metastore.processes.consumers import handler_of
from tests.fixtures.events import KettleBoiled, event

AUDIT = AuditService()


async def write(database: Database, *events: RecordedEvent) -> None:
    """Have the trail hear the events."""
    (consumer,) = consumers(AUDIT)
    for heard in events:
        await handler_of(consumer, database)(heard)


async def page(database: Database, **wanted: object) -> Page[AuditLogOut]:
    """A page of the trail."""
    async with database.reading() as tx:
        return await AUDIT.page(tx, AuditQuery.model_validate(wanted))


def recorded(fact: Fact, context: RequestContext) -> RecordedEvent:
    """The fact as recorded in that context."""
    with open_context(context):
        row = fact.outbox_row()
    return RecordedEvent(row.id, row.event_type, row.aggregate, row.payload, row.headers, row.created_at)


async def test_an_event_told_again_after_the_inbox_forgot_it_has_one_entry(database: Database) -> None:
    given = recorded(KettleBoiled(kettle="copper", number=7), RequestContext("request-1"))
    for _ in range(2):
        async with database.transaction() as tx:
            await AUDIT.append(tx, given)
    assert [given.id] == [entry.event_id for entry in (await page(database)).items]


async def test_an_entry_says_who_did_what_on_what_from_where_and_when(database: Database) -> None:
    """The circumstances of the request are in the entry, and what happened in its details."""
    context = RequestContext("request-1", "192.0.2.1", "Lynx/2.9", "anna")
    given = recorded(KettleBoiled(kettle="copper", number=7), context)
    await write(database, given)
    (entry,) = (await page(database)).items
    shown = entry.model_dump(by_alias=True, exclude={"id"})
    assert shown == {
        "eventId": given.id,
        "actorId": "anna",
        "action": "kettle.boiled",
        "resource": "kettle:copper",
        "address": "192.0.2.1",
        "userAgent": "Lynx/2.9",
        "requestId": "request-1",
        "details": {"kettle": "copper", "number": 7},
        "occurredAt": given.created_at,
    }


async def test_what_the_product_does_by_itself_has_no_actor(database: Database) -> None:
    """A fact recorded outside any request is written down without circumstances."""
    await write(database, event())
    (entry,) = (await page(database)).items
    assert (None, None, None, None) == (entry.actor_id, entry.address, entry.user_agent, entry.request_id)


async def test_overlong_circumstances_are_cut(database: Database) -> None:
    """A client cannot keep itself out of the trail by a header that does not fit."""
    context = RequestContext("r" * 1000, "a" * 1000, "u" * 1000, "anna")
    await write(database, recorded(KettleBoiled(kettle="copper"), context))
    (entry,) = (await page(database)).items
    assert (128, 64, 500) == (len(entry.request_id or ""), len(entry.address or ""), len(entry.user_agent or ""))


async def test_an_event_delivered_again_is_written_down_once(database: Database) -> None:
    """The trail counts what happened, not how often it was told."""
    given = event()
    await write(database, given, event(), given)
    assert 2 == len((await page(database)).items)


@pytest.mark.parametrize("change", ["UPDATE audit_logs SET actor_id = 'nobody'", "DELETE FROM audit_logs"])
async def test_the_database_refuses_to_change_the_trail(database: Database, change: str) -> None:
    """Entries can be neither altered nor deleted, even by a statement that bypasses the product."""
    await write(database, event())
    with pytest.raises(DBAPIError, match="append-only"):
        async with database.engine.begin() as connection:
            await connection.execute(text(change))
    assert 1 == len((await page(database)).items)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_postgresql_refuses_to_empty_the_trail(database: Database) -> None:
    """TRUNCATE is refused as well."""
    with pytest.raises(DBAPIError, match="append-only"):
        async with database.engine.begin() as connection:
            await connection.execute(text("TRUNCATE audit_logs"))


async def test_the_guards_can_be_taken_down_and_put_up_again(database: Database) -> None:
    """What migrations reuse works on both databases."""
    await write(database, event())
    async with database.engine.begin() as connection:
        for statement in (*DROP_GUARDS[database.dialect], *CREATE_GUARDS[database.dialect]):
            await connection.execute(text(statement))
    with pytest.raises(DBAPIError, match="append-only"):
        async with database.engine.begin() as connection:
            await connection.execute(text("DELETE FROM audit_logs"))


async def test_the_trail_can_be_filtered(database: Database) -> None:
    """By actor, by action, by resource, by time, and by all of them at once."""
    anna, ben = RequestContext("1", actor_id="anna"), RequestContext("2", actor_id="ben")
    first = recorded(KettleBoiled(kettle="copper"), anna)
    second = recorded(KettleBoiled(kettle="iron"), ben)
    third = event(event_type="cup.filled")
    await write(database, first, second, third)

    async def found(**wanted: object) -> set[str]:
        return {entry.event_id for entry in (await page(database, **wanted)).items}

    assert {first.id} == await found(actor="anna")
    assert {third.id} == await found(action="cup.filled")
    assert {second.id} == await found(resource="kettle:iron")
    assert {second.id, third.id} == await found(since=second.created_at)
    assert {first.id} == await found(until=second.created_at)
    assert set() == await found(actor="anna", resource="kettle:iron")
    assert {first.id, second.id, third.id} == await found(until=third.created_at + timedelta(seconds=1))


async def test_lists_go_on_by_cursor_latest_first(database: Database) -> None:
    """Pages follow each other without gap or repetition, whatever order the entries were written in."""
    events = [event(number=n) for n in range(5)]
    await write(database, *(events[n] for n in (3, 0, 4, 1, 2)))
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
async def test_a_forged_cursor_is_refused(database: Database, cursor: str) -> None:
    """A cursor that no list gave out is 422, whatever is in it."""
    with pytest.raises(Problem) as refused:
        await page(database, cursor=cursor)
    assert (422, "invalid-cursor") == (refused.value.status, refused.value.code)


async def test_a_refusal_is_a_fact_like_any_other(database: Database) -> None:
    """Who tried what, and how it was refused, goes the way of all facts into the trail."""
    with open_context(RequestContext("request-1", "192.0.2.1", actor_id="anna")):
        async with database.transaction() as tx:
            AUDIT.record_refusal(tx, method="GET", path="/api/v1/files/x" + "y" * 1000, code="not-found")
    async with database.reading() as tx:
        await write(database, *await pending_events(tx, 10))
    (entry,) = (await page(database)).items
    assert ("access.refused", "anna", "user:anna") == (entry.action, entry.actor_id, entry.resource)
    assert 500 == len(str(entry.details["path"]))
    assert ("GET", "not-found") == (entry.details["method"], entry.details["code"])
