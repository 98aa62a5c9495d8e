"""Units of work that share commits, on both databases and on SQLite."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text

from metastore.kit.database import group_commit
from metastore.kit.database.unit_of_work import Database
from tests.fixtures.databases import make_sqlite_database
from tests.kit.database.units import Units


@pytest.fixture
async def units(database: Database) -> Units:
    async with database.engine.begin() as connection:
        await connection.execute(text("CREATE TABLE test_units (unit INTEGER PRIMARY KEY)"))
    return Units(database)


@pytest.fixture
async def on_sqlite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Units]:
    """Units on SQLite, where only their number closes a group, so that a slow machine changes nothing."""
    monkeypatch.setattr(group_commit, "MAX_SECONDS", 600.0)
    database = Database(make_sqlite_database(tmp_path / "metastore.db"))
    async with database.engine.begin() as connection:
        await connection.execute(text("CREATE TABLE test_units (unit INTEGER PRIMARY KEY)"))
    yield Units(database)
    await database.aclose()
