"""SQLite connections with one thread switch per statement."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from metastore.kit.database import sqlite_connection
from metastore.kit.database.unit_of_work import Database


@pytest.fixture
async def connection(tmp_path: Path) -> AsyncIterator[sqlite_connection.OneTripConnection]:
    connection = sqlite_connection.connect(str(tmp_path / "a.db"))
    await connection
    yield connection
    await connection.close()


async def test_fetching_one_some_and_all_rows(connection: sqlite_connection.OneTripConnection) -> None:
    cursor = connection.cursor()
    await cursor.execute("SELECT value FROM json_each('[1,2,3,4,5,6]')")
    assert [("value", *[None] * 6)] == list(cursor.description or ())
    assert (1,) == await cursor.fetchone()
    assert [(2,)] == await cursor.fetchmany()
    assert [(3,), (4,)] == await cursor.fetchmany(2)
    assert [(5,), (6,)] == await cursor.fetchall()
    assert await cursor.fetchone() is None


async def test_changes_are_counted_and_returned(connection: sqlite_connection.OneTripConnection) -> None:
    cursor = connection.cursor()
    await cursor.execute("CREATE TABLE a (id INTEGER PRIMARY KEY, name TEXT)")
    assert cursor.description is None
    await cursor.executemany("INSERT INTO a (name) VALUES (?)", [("x",), ("y",), ("z",)])
    assert 3 == cursor.rowcount
    await cursor.execute("INSERT INTO a (name) VALUES (:name)", {"name": "w"})
    assert 4 == cursor.lastrowid
    await cursor.execute("DELETE FROM a WHERE id > ? RETURNING id", (2,))
    assert ([(3,), (4,)], 2) == (await cursor.fetchall(), cursor.rowcount)


async def test_errors_are_raised_to_the_caller(connection: sqlite_connection.OneTripConnection) -> None:
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        await connection.cursor().execute("SELECT * FROM nowhere")


async def test_the_event_loop_does_not_execute(connection: sqlite_connection.OneTripConnection) -> None:
    await connection.create_function("thread", 0, threading.get_ident)
    cursor = connection.cursor()
    await cursor.execute("SELECT thread()")
    assert (threading.get_ident(),) != await cursor.fetchone()


async def test_the_event_loop_is_not_blocked(connection: sqlite_connection.OneTripConnection) -> None:
    """The statement ends only after another coroutine has run."""
    happened = threading.Event()
    await connection.create_function("wait", 0, lambda: happened.wait(10))
    waiting = asyncio.create_task(connection.cursor().execute("SELECT wait()"))
    await asyncio.sleep(0)
    assert not waiting.done()
    happened.set()
    await waiting


async def test_transactions_work(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'a.db'}")
    async with database.transaction() as tx:
        await tx.session.execute(text("CREATE TABLE a (id INTEGER PRIMARY KEY)"))
        await tx.session.execute(text("INSERT INTO a VALUES (1)"))

    async def insert(*ids: int) -> None:
        async with database.transaction() as tx:
            for id_ in ids:
                await tx.session.execute(text("INSERT INTO a VALUES (:id)"), {"id": id_})

    with pytest.raises(IntegrityError):
        await insert(2, 1)
    async with database.reading() as tx:
        assert [1] == list(await tx.session.scalars(text("SELECT id FROM a")))
    await database.aclose()
