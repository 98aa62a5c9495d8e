"""Commands do the same by SQLite's driver as by a session on PostgreSQL."""

import asyncio
from datetime import timedelta
from typing import NamedTuple

import pytest
from sqlalchemy import bindparam, func, select, text, update
from sqlalchemy.exc import IntegrityError

from metastore.features.auth.models import User
from metastore.kit.clock import utc_now
from metastore.kit.database.command import Command, Id, Nothing, RowInsert
from metastore.kit.database.inserts import insert_into
from metastore.kit.database.query import Query
from metastore.kit.database.tables import table_of
from metastore.kit.database.unit_of_work import Database, Transaction
from metastore.kit.events.outbox import OutboxEvent
from metastore.kit.events.positions import ConsumerPosition
from tests.fixtures.accounts import GIB, add_user
from tests.fixtures.events import SampleRecorded
from tests.kit.database.units import Units

USERS = table_of(User).c
POSITIONS = table_of(ConsumerPosition).c
SET_QUOTA = Command(
    Id,
    update(table_of(User))
    .where(USERS.id == bindparam("user"))
    .values(storage_quota=bindparam("quota"))
    .returning(USERS.id),
)
ADD_POSITION = RowInsert(Nothing, lambda dialect: insert_into(table_of(ConsumerPosition), dialect))
ADD_NEW_POSITION = RowInsert(
    Id,
    lambda dialect: (
        insert_into(table_of(ConsumerPosition), dialect).on_conflict_do_nothing().returning(POSITIONS.consumer)
    ),
)
INSERT_UNIT = Command(Nothing, text("INSERT INTO test_units VALUES (:unit)"))


class Quota(NamedTuple):
    quota: int


class Number(NamedTuple):
    number: int


QUOTA = Query(Quota, select(User.storage_quota).where(User.id == bindparam("user")))
EVENTS = Query(Number, select(func.count()).select_from(OutboxEvent))


async def quota_of(tx: Transaction, user_id: str) -> int | None:
    found = await tx.fetch_first(QUOTA, user=user_id)
    return found.quota if found else None


async def test_a_command_returns_what_it_changed(database: Database) -> None:
    user_id = await add_user(database)
    async with database.transaction() as tx:
        assert [Id(user_id)] == await tx.execute(SET_QUOTA, user=user_id, quota=7)
        assert [] == await tx.execute(SET_QUOTA, user="nobody", quota=7)
    async with database.reading() as tx:
        assert 7 == await quota_of(tx, user_id)


async def test_rows_are_inserted_in_order_and_those_that_are_new_are_returned(database: Database) -> None:
    async with database.transaction() as tx:
        assert [] == await tx.execute_all(ADD_POSITION, [{"consumer": "b", "position": 1}])
        rows = [{"consumer": name, "position": 2} for name in ("a", "b", "c")]
        assert [Id("a"), Id("c")] == await tx.execute_all(ADD_NEW_POSITION, rows)
        assert [] == await tx.execute_all(ADD_NEW_POSITION, [])


async def test_an_inserted_row_has_the_defaults_of_its_columns(database: Database) -> None:
    async with database.transaction() as tx:
        tx.record(SampleRecorded(sample="copper"))
    async with database.reading() as tx:
        event = (await tx.session.scalars(select(OutboxEvent))).one()
    assert ("pending", 0, None) == (event.status, event.attempts, event.position)
    assert timedelta(0) <= utc_now() - event.created_at < timedelta(minutes=1)


async def test_a_violated_constraint_is_raised_as_by_a_session_and_undoes_the_transaction(database: Database) -> None:
    async def add_twice() -> None:
        async with database.transaction() as tx:
            tx.record(SampleRecorded(sample="copper"))
            await tx.execute(ADD_POSITION, consumer="a", position=1)
            await tx.execute(ADD_POSITION, consumer="a", position=2)

    with pytest.raises(IntegrityError):
        await add_twice()
    async with database.transaction() as tx:
        assert [Number(0)] == await tx.fetch(EVENTS)
        await tx.execute(ADD_POSITION, consumer="a", position=3)


async def test_a_command_sees_what_the_session_has_yet_to_write_and_the_session_sees_the_command(
    database: Database,
) -> None:
    user_id = await add_user(database)
    async with database.transaction() as tx:
        user = await tx.session.get(User, user_id)
        assert user is not None
        user.storage_quota = GIB + 1
        assert GIB + 1 == await quota_of(tx, user_id)
        await tx.execute(SET_QUOTA, user=user_id, quota=5)
        assert 5 == await tx.session.scalar(select(User.storage_quota).where(User.id == user_id))


async def test_events_are_in_the_outbox_after_a_flush_and_once_after_the_commit(database: Database) -> None:
    async with database.transaction() as tx:
        tx.record(SampleRecorded(sample="copper", number=1))
        await tx.flush()
        assert [Number(1)] == await tx.fetch(EVENTS)
        tx.record(SampleRecorded(sample="copper", number=2))
        tx.record(SampleRecorded(sample="copper", number=3))
    async with database.reading() as tx:
        payloads = await tx.session.scalars(select(OutboxEvent.payload).order_by(OutboxEvent.id))
        assert [1, 2, 3] == [payload["number"] for payload in payloads]


async def test_a_unit_of_commands_alone_that_fails_leaves_the_others_of_its_group(on_sqlite: Units) -> None:
    await on_sqlite.first()

    async def refused() -> None:
        async with on_sqlite.database.transaction() as tx:
            await tx.execute(INSERT_UNIT, unit=1)
            await tx.execute(INSERT_UNIT, unit=1)

    on_sqlite.tasks.append(asyncio.create_task(refused()))
    on_sqlite.start(2)
    errors = await on_sqlite.go_on()

    assert [False, True, False] == [isinstance(error, IntegrityError) for error in errors]
    assert [0, 2] == await on_sqlite.numbers()
    assert 1 == on_sqlite.commits


async def test_a_cancelled_command_undoes_its_unit_alone(on_sqlite: Units) -> None:
    await on_sqlite.first()
    inserted = asyncio.Event()

    async def interrupted() -> None:
        async with on_sqlite.database.transaction() as tx:
            await tx.execute(INSERT_UNIT, unit=1)
            inserted.set()
            await tx.execute(INSERT_UNIT, unit=2)

    async def cancel() -> None:
        await inserted.wait()
        on_sqlite.tasks[1].cancel()

    on_sqlite.tasks.append(asyncio.create_task(interrupted()))
    cancelling = asyncio.create_task(cancel())
    on_sqlite.start(3)
    errors = await on_sqlite.go_on()
    await cancelling

    assert isinstance(errors[1], asyncio.CancelledError)
    assert [0, 3] == await on_sqlite.numbers()


async def test_what_is_executed_soon_is_executed_before_the_next_statement(database: Database) -> None:
    async with database.transaction() as tx:
        await tx.execute_soon(ADD_POSITION, [{"consumer": name, "position": 1} for name in ("a", "b")])
        await tx.execute_soon(ADD_POSITION, [])
        assert [] == await tx.execute(ADD_NEW_POSITION, consumer="a", position=2)


async def test_what_is_executed_soon_is_seen_by_the_session(database: Database) -> None:
    async with database.transaction() as tx:
        await tx.execute_soon(ADD_POSITION, [{"consumer": "a", "position": 1}])
        assert 1 == await tx.session.scalar(select(ConsumerPosition.position))
        tx.session.add(ConsumerPosition(consumer="b", position=2))
        await tx.execute_soon(ADD_POSITION, [{"consumer": "c", "position": 3}])
        assert ["a", "b", "c"] == sorted(await tx.session.scalars(select(ConsumerPosition.consumer)))


async def test_what_is_executed_soon_is_committed_without_another_statement(database: Database) -> None:
    async with database.transaction() as tx:
        await tx.execute_soon(ADD_POSITION, [{"consumer": "a", "position": 1}])
    async with database.reading() as tx:
        assert 1 == await tx.session.scalar(select(ConsumerPosition.position))


@pytest.mark.parametrize("by_session", [False, True])
async def test_an_error_of_what_is_executed_soon_undoes_the_transaction(database: Database, by_session: bool) -> None:
    async def add_twice() -> None:
        async with database.transaction() as tx:
            await tx.execute_soon(ADD_POSITION, [{"consumer": name, "position": 1} for name in ("a", "a")])
            if by_session:
                assert tx.session.is_active

    with pytest.raises(IntegrityError):
        await add_twice()
    async with database.transaction() as tx:
        await tx.execute(ADD_POSITION, consumer="a", position=3)


async def test_statements_that_are_executed_together_fail_with_the_group_intact(on_sqlite: Units) -> None:
    await on_sqlite.first()

    async def refused() -> None:
        async with on_sqlite.database.transaction() as tx:
            await tx.execute_soon(INSERT_UNIT, [{"unit": 1}, {"unit": 1}])
            await tx.execute(INSERT_UNIT, unit=2)

    on_sqlite.tasks.append(asyncio.create_task(refused()))
    on_sqlite.start(3)
    errors = await on_sqlite.go_on()

    assert [False, True, False] == [isinstance(error, IntegrityError) for error in errors]
    assert [0, 3] == await on_sqlite.numbers()
