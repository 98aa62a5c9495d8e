"""Revision 0005 renames columns and values without losing data, on both databases."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, select
from sqlalchemy.ext.asyncio import create_async_engine

from metastore import migrations
from tests.fixtures.postgres import Postgres
from tests.fixtures.tables import catalogue

_NOW = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
_REVISION = ScriptDirectory.from_config(migrations.configuration()).get_revision("0005").module
_ROWS: dict[str, list[dict[str, Any]]] = {
    "media": [
        {"file_id": "film", "container": "mp4", "facts": {"duration": 1.5}, "pictures_prefix": "files/film/pictures"},
        {"file_id": "text", "container": "", "facts": None, "pictures_prefix": None},
    ],
    "sagas": [
        {
            "id": "saga",
            "kind": "ingest",
            "subject": "film",
            "owner": "anna",
            "state": "compensating",
            "step": "probe",
            "attempts": 2,
            "token": 3,
            "due_at": _NOW,
            "away_since": _NOW,
            "outcome": "failed",
            "retryable": True,
            "progress": 50,
            "kept": False,
            "data": {"name": "film.mp4"},
            "created_at": _NOW,
            "updated_at": _NOW,
        }
    ],
    "saga_steps": [
        {"id": result, "saga_id": "saga", "step": "probe", "result": result, "attempt": 1, "at": _NOW}
        for result in ("compensated", "passed over")
    ],
    "search_documents": [
        {
            "node_id": "film",
            "owner_id": "anna",
            "kind": "file",
            "family": "video",
            "mime_type": "video/mp4",
            "text": "film.mp4",
            "updated_at": _NOW,
        }
    ],
}
"""Rows as of revision 0004, by table."""
Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of an empty database."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path}/metastore.db"
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = server.create_database()
    yield server.url(name)
    server.drop_database(name)


def _reflected(connection: Connection) -> MetaData:
    metadata = MetaData()
    metadata.reflect(connection, only=list(_ROWS))
    return metadata


def _insert(connection: Connection) -> None:
    metadata = _reflected(connection)
    for table in metadata.sorted_tables:
        connection.execute(table.insert(), _ROWS[table.name])


def _read(connection: Connection) -> Rows:
    return {
        table.name: [dict(row) for row in connection.execute(select(table).order_by(*table.primary_key)).mappings()]
        for table in _reflected(connection).sorted_tables
    }


async def _run(url: str, work: Any) -> Any:  # noqa: ANN401  passes through what ``work`` returns
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        result = await connection.run_sync(work)
    await engine.dispose()
    return result


def _renamed(rows: Rows) -> Rows:
    names = {(table, old): new for table, old, new in _REVISION._COLUMNS}
    values = {(table, column, old): new for table, column, old, new in _REVISION._VALUES}
    return {
        table: [
            {
                names.get((table, name), name): values.get((table, name, value), value)
                if isinstance(value, str)
                else value
                for name, value in row.items()
            }
            for row in table_rows
        ]
        for table, table_rows in rows.items()
    }


def _renamed_in_schema(schema: dict[str, str]) -> dict[str, str]:
    def renamed(entry: str, text: str) -> str:
        for table, old, new in _REVISION._COLUMNS:
            if table in entry:
                text = re.sub(rf"\b{old}\b", new, text)
        return "\n".join(sorted(text.splitlines()))  # as the catalogue sorts them

    return {renamed(entry, entry): renamed(entry, definition) for entry, definition in schema.items()}


def test_every_renamed_column_has_a_value_in_the_rows() -> None:
    for table, old, _ in _REVISION._COLUMNS:
        assert any(row[old] is not None for row in _ROWS[table]), f"{table}.{old}"


async def test_values_are_found_under_the_new_names(url: str) -> None:
    """Indexes and constraints are kept, and a downgrade restores the old names."""
    await migrations.upgrade(url, "0004")
    await _run(url, _insert)
    before, schema = await _run(url, _read), await _run(url, catalogue)

    await migrations.upgrade(url, "0005")
    assert _renamed(before) == await _run(url, _read)
    assert _renamed_in_schema(schema) == await _run(url, catalogue)

    await migrations.downgrade(url, "0004")
    assert before == await _run(url, _read)
    assert schema == await _run(url, catalogue)
