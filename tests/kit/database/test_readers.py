"""Readers: queries reach the database by the shortest way, and nothing long runs on the event loop."""

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlalchemy import Integer, bindparam, column, func, select, table, text
from sqlalchemy.exc import DBAPIError

from metastore.kit.database import readers
from metastore.kit.database.query import Query
from metastore.kit.database.unit_of_work import Database
from metastore.kit.problems.problem import Problem
from tests.fixtures.databases import make_sqlite_database
from tests.fixtures.postgres import MigratedDatabases, Postgres
from tests.fixtures.waiting import eventually


class Number(NamedTuple):
    value: int


ONE = Query(Number, select(bindparam("value", type_=Integer)))
NOWHERE = Query(Number, select(column("value", Integer)).select_from(table("nowhere", column("value"))))


def _counting() -> Query[Number]:
    """Return a query that counts to ``upto`` row by row, which takes as long as that is high."""
    numbers = select(bindparam("start", type_=Integer).label("n")).cte("numbers", recursive=True)
    numbers = numbers.union_all(select(numbers.c.n + 1).where(numbers.c.n < bindparam("upto", type_=Integer)))
    return Query(Number, select(func.max(numbers.c.n)))


@pytest.fixture
async def embedded(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(make_sqlite_database(tmp_path / "a.db"))
    yield database
    await database.aclose()


async def test_a_short_query_runs_without_giving_way(embedded: Database) -> None:
    """No other coroutine runs in between: it needed no thread."""
    others: list[str] = []
    other = asyncio.create_task(_append(others))
    async with embedded.reading() as tx:
        assert await tx.fetch_first(ONE, value=1) == (1,)
        assert others == []
    await other


async def test_a_long_query_does_not_keep_the_event_loop(embedded: Database) -> None:
    """Others go on meanwhile, and it still returns its rows."""
    counting = _counting()
    gaps: list[float] = []

    async def watch() -> None:
        while True:
            before = time.thread_time()
            await asyncio.sleep(0)
            gaps.append(time.thread_time() - before)

    watching = asyncio.create_task(watch())
    async with embedded.reading() as tx:
        assert await tx.fetch_first(counting, start=1, upto=500_000) == (500_000,)
    watching.cancel()
    assert len(gaps) > 10
    assert max(gaps) < 20 * readers.LIMIT_SECONDS


async def test_a_query_that_was_too_long_goes_straight_to_a_thread_for_a_while(
    embedded: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readers, "WAIT_SECONDS", 600.0)  # on a busy machine, only its processor time says something
    counting = _counting()
    others: list[str] = []
    async with embedded.reading() as tx:
        await tx.fetch_first(counting, start=1, upto=500_000)
        other = asyncio.create_task(_append(others))
        assert await tx.fetch_first(counting, start=1, upto=2) == (2,)
        assert others == ["ran"]
        assert await tx.fetch_first(ONE, value=1) == (1,)
    await other


async def test_many_fast_queries_pass_a_slow_one(embedded: Database) -> None:
    counting = _counting()

    async def count() -> None:
        async with embedded.reading() as tx:
            await tx.fetch_first(counting, start=1, upto=3_000_000)

    slow = asyncio.create_task(count())
    await asyncio.sleep(0.05)
    for number in range(100):
        async with embedded.reading() as tx:
            assert await tx.fetch_first(ONE, value=number) == (number,)
    assert not slow.done()
    await slow


async def test_a_query_that_could_not_be_interrupted_runs_in_a_thread_next_time(embedded: Database) -> None:
    """A single instruction may take long, such as one that reads a full-text index."""
    long = Query(Number, select(func.length(func.hex(func.zeroblob(bindparam("size", type_=Integer))))))
    reader = readers.SqliteReader(str(embedded.engine.url.database), embedded.engine.dialect)
    with contextlib.closing(reader):
        assert await reader.fetch(long, {"size": 50_000_000}) == [(100_000_000,)]
        assert await reader.fetch(long, {"size": 1}) is None
        assert await reader.fetch(ONE, {"value": 1}) == [(1,)]


async def test_reading_does_not_wait_for_the_writer(embedded: Database) -> None:
    async with embedded.transaction() as writing:
        await writing.session.execute(text("CREATE TABLE a (id INTEGER)"))
        async with embedded.reading() as tx:
            assert await tx.fetch_first(ONE, value=1) == (1,)


async def test_the_connection_cannot_write(embedded: Database, tmp_path: Path) -> None:
    reader = readers.SqliteReader(str(tmp_path / "a.db"), embedded.engine.dialect)
    await reader.fetch(ONE, {"value": 1})
    with contextlib.closing(reader), pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.connection().execute("CREATE TABLE a (id INTEGER)")


async def test_a_database_that_cannot_be_opened_is_an_outage(embedded: Database, tmp_path: Path) -> None:
    (tmp_path / "a.db").unlink()
    (tmp_path / "a.db").mkdir()
    with pytest.raises(Problem) as refused:
        async with embedded.reading() as tx:
            await tx.fetch_first(ONE, value=1)
    assert refused.value.status == 503


async def test_a_wrong_query_is_an_error_of_the_statement(database: Database) -> None:
    with pytest.raises(DBAPIError, match="nowhere"):
        async with database.reading() as tx:
            await tx.fetch(NOWHERE)


async def test_a_lost_connection_is_an_outage_and_is_replaced(
    postgres: Postgres, migrated_databases: MigratedDatabases
) -> None:
    name = migrated_databases.take()
    database = Database(postgres.url(name))
    slow = Query(Number, select(func.count(func.pg_sleep(30))))
    reading = asyncio.create_task(_fetch(database, slow))
    await _end_connections(postgres, name)

    with pytest.raises(Problem) as lost:
        await reading
    assert lost.value.status == 503
    assert await _fetch(database, Query(Number, select(bindparam("value", 5, type_=Integer)))) == (5,)
    await database.aclose()
    migrated_databases.release(name)


async def _fetch(database: Database, query: Query[Number]) -> Number | None:
    async with database.reading() as tx:
        return await tx.fetch_first(query)


async def _end_connections(postgres: Postgres, name: str) -> None:
    """Have the server end the connection to the database ``name`` that executes something."""
    admin = await postgres.connect("postgres")
    executing = "SELECT pid FROM pg_stat_activity WHERE datname = $1 AND query LIKE '%pg_sleep%' AND state = 'active'"
    try:
        pid = await eventually(lambda: admin.fetchval(executing, name), why="the query runs")
        await admin.execute("SELECT pg_terminate_backend($1)", pid)
    finally:
        await admin.close()


async def _append(others: list[str]) -> None:
    others.append("ran")
