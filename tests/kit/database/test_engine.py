"""Sessions are closed completely; pooled connections to PostgreSQL are replaced when they no longer work."""

import asyncio
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from metastore.kit.database import engine
from metastore.kit.database.sqlite_connection import OneTripConnection
from metastore.kit.database.unit_of_work import Database
from tests.fixtures.postgres import Postgres
from tests.fixtures.statement_counter import counting_statements
from tests.fixtures.waiting import eventually

BACKEND = text("SELECT pg_backend_pid()")


@pytest.mark.parametrize(
    "value",
    [
        {"name": "ghi chú 🎬", "size": 2**63 - 1, "none": None, "list": [1, 1.5, True, 'a\n"b"'], "nested": {"a": {}}},
        {"name": "\ud800"},
        "\x00",
        [],
    ],
)
def test_json_is_read_as_it_was_written(value: object) -> None:
    assert value == engine.from_json(engine.to_json(value))


@pytest.mark.parametrize("value", [{"ghi chú": ["🎬", 1]}, {"name": "\ud800"}])
def test_json_of_earlier_versions_is_read(value: object) -> None:
    assert value == engine.from_json(json.dumps(value))
    assert value == engine.from_json(json.dumps(value).encode())


def test_keys_may_be_numbers_and_numbers_of_any_size_are_written() -> None:
    assert '{"1":"a"}' == engine.to_json({1: "a"})
    assert str(2**70) == engine.to_json(2**70)


async def _pid(database: Database) -> int:
    async with database.reading() as tx:
        return int((await tx.session.execute(BACKEND)).scalar_one())


async def _is_closed(database: Database) -> Callable[[], bool]:
    """Return a function that tells whether the connection that the pool hands out now is closed."""
    async with database.reading() as tx:
        driver: Any = (await (await tx.session.connection()).get_raw_connection()).driver_connection  # without types
        return lambda: bool(driver.is_closed())


async def test_a_connection_that_the_server_closed_is_replaced_unnoticed(postgres: Postgres) -> None:
    database = Database(postgres.url("postgres"))
    first = await _pid(database)
    is_closed = await _is_closed(database)
    admin = await postgres.connect("postgres")
    await admin.execute("SELECT pg_terminate_backend($1)", first)
    await eventually(is_closed, why="this end knows that the server has closed the connection")
    assert await _pid(database) != first
    await admin.close()
    await database.aclose()


async def test_a_connection_in_use_is_not_asked_whether_it_works(postgres: Postgres) -> None:
    with counting_statements() as counter:
        database = Database(postgres.url("postgres"))
        await _pid(database)
        counter.clear()
        await _pid(database)
        assert ";" not in counter.executed
        await database.aclose()


async def test_an_idle_connection_is_asked(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "IDLE_SECONDS", -1.0)
    with counting_statements() as counter:
        database = Database(postgres.url("postgres"))
        first = await _pid(database)
        counter.clear()
        assert await _pid(database) == first
        assert ";" in counter.executed
        await database.aclose()


async def test_a_session_closes_completely_although_its_task_is_cancelled_meanwhile(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Its connection goes back to the pool, and nothing is logged."""
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'metastore.db'}")
    leaving, proceed = asyncio.Event(), threading.Event()

    async def read() -> None:
        async with database.reading() as tx:
            connection = await tx.session.connection()
            driver = (await connection.get_raw_connection()).driver_connection
            assert isinstance(driver, OneTripConnection)
            driver._submit(lambda: proceed.wait(60))  # the rollback queues behind it
            leaving.set()

    reading = asyncio.create_task(read())
    await leaving.wait()
    for _ in range(3):
        await asyncio.sleep(0)
        reading.cancel()
    await asyncio.sleep(0)
    early = reading.done()
    proceed.set()
    assert not early
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert " Connections in pool: 1 " in f" {database.engine.pool.status()} "
    assert not caplog.records
    await database.aclose()
