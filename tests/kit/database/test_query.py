"""Queries give the same rows by a reader as by a session, on both databases."""

from datetime import datetime, timedelta
from typing import NamedTuple

import pytest
from sqlalchemy import String, bindparam, literal, select

from metastore.features.auth.models import User
from metastore.kit.clock import utc_now
from metastore.kit.database.query import Query, Statement, one_of
from metastore.kit.database.unit_of_work import Database
from tests.fixtures.accounts import GIB, add_user


class Account(NamedTuple):
    id: str
    quota: int
    created_at: datetime
    note: str


def _listed(dialect: str) -> Statement:
    columns = (User.id, User.storage_quota, User.created_at, literal("new"))
    return select(*columns).where(one_of(User.id, "ids", dialect)).order_by(User.id)


LISTED = Query(Account, _listed)
CREATED = Query(
    Account,
    select(User.id, User.storage_quota, User.created_at, literal("old")).where(
        User.created_at >= bindparam("since", type_=User.created_at.type)
    ),
)


async def test_a_reader_and_a_session_return_the_same_rows(database: Database) -> None:
    ids = sorted([await add_user(database) for _ in range(3)])
    async with database.reading() as tx:
        read = await tx.fetch(LISTED, ids=ids[:2])
    async with database.transaction() as tx:
        assert read == await tx.fetch(LISTED, ids=ids[:2])

    assert [row.id for row in read] == ids[:2]
    assert [(row.quota, row.note) for row in read] == [(GIB, "new")] * 2
    assert read[0].created_at.utcoffset() == timedelta(0)


async def test_parameters_are_converted_as_by_a_session(database: Database) -> None:
    user_id = await add_user(database)
    async with database.reading() as tx:
        assert [row.id for row in await tx.fetch(CREATED, since=utc_now() - timedelta(minutes=1))] == [user_id]
        assert await tx.fetch(CREATED, since=utc_now() + timedelta(minutes=1)) == []
        assert await tx.fetch_first(CREATED, since=utc_now() + timedelta(minutes=1)) is None


async def test_an_empty_list_matches_nothing(database: Database) -> None:
    await add_user(database)
    async with database.reading() as tx:
        assert await tx.fetch(LISTED, ids=[]) == []


async def test_a_writing_transaction_reads_its_own_changes_and_no_other_does(database: Database) -> None:
    user_id = await add_user(database)
    async with database.transaction() as tx:
        user = await tx.session.get(User, user_id)
        assert user is not None
        user.storage_quota = 7
        found = await tx.fetch_first(LISTED, ids=[user_id])
        async with database.reading() as other:
            unchanged = await other.fetch_first(LISTED, ids=[user_id])
    async with database.reading() as tx:
        committed = await tx.fetch_first(LISTED, ids=[user_id])

    assert [row.quota for row in (found, unchanged, committed) if row] == [7, GIB, 7]


async def test_a_missing_parameter_is_an_error(database: Database) -> None:
    async with database.reading() as tx:
        with pytest.raises(KeyError, match="ids"):
            await tx.fetch(LISTED)


async def test_a_list_in_the_statement_itself_is_refused(database: Database) -> None:
    expanding = Query(Account, select(User.id).where(User.id.in_(bindparam("ids", type_=String, expanding=True))))
    async with database.reading() as tx:
        with pytest.raises(ValueError, match="one_of"):
            await tx.fetch(expanding, ids=["a"])
