"""Revision 0009 numbers and indexes the documents of the search, on both databases."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import bindparam, text

from metastore import migrations
from metastore.features.search.index_keys import document_keys, labels_of
from metastore.features.search.positions import first_position
from metastore.features.search.search_queries import SearchFilter, latest
from metastore.kit.database.tables import UtcDateTime
from metastore.kit.database.unit_of_work import Database
from tests.fixtures.postgres import Postgres

_NOW = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
_FILES = 4_100
"""More than two batches."""
Row = dict[str, object]


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


def _documents() -> list[Row]:
    """Rows as of revision 0008: of two owners, some changed at the same time."""
    return [
        {
            "node_id": f"n{number:05}",
            "owner_id": "anna" if number % 3 else "ben",
            "kind": "file" if number % 50 else "folder",
            "category": "text" if number % 50 else "",
            "mime_type": "text/plain" if number % 50 else "",
            "text": f"note {number}.txt",
            "updated_at": _NOW + timedelta(microseconds=number // 5),
        }
        for number in range(_FILES)
    ]


async def _rows(url: str) -> list[Row]:
    database = Database(url)
    async with database.reading() as tx:
        statement = text("SELECT * FROM search_documents ORDER BY node_id").columns(updated_at=UtcDateTime())
        rows = [dict(row) for row in (await tx.session.execute(statement)).mappings()]
    await database.aclose()
    return rows


async def _insert(url: str, rows: list[Row]) -> None:
    names = ", ".join(rows[0])
    values = ", ".join(f":{name}" for name in rows[0])
    statement = text(f"INSERT INTO search_documents ({names}) VALUES ({values})")  # noqa: S608  names of columns
    database = Database(url)
    async with database.transaction() as tx:
        connection = await tx.session.connection()
        await connection.execute(statement.bindparams(bindparam("updated_at", type_=UtcDateTime())), rows)
    await database.aclose()


async def test_documents_are_numbered_and_found_after_the_upgrade(url: str) -> None:
    before = _documents()
    await migrations.upgrade(url, "0008")
    await _insert(url, before)

    await migrations.upgrade(url)
    after = await _rows(url)
    assert [{name: row[name] for name in before[0]} for row in after] == before
    for row in after:
        labels = labels_of(str(row["kind"]), str(row["category"]), str(row["mime_type"]))
        keys = document_keys(str(row["owner_id"]), str(row["text"]), labels)
        assert set(str(row["index_keys"]).split()) == set(keys.split())
    await _assert_found(url, before)


async def _assert_found(url: str, rows: list[Row]) -> None:
    database = Database(url)
    async with database.reading() as tx:
        for owner in ("anna", "ben"):
            owned = [row for row in rows if row["owner_id"] == owner]
            hits = await latest(tx, owner, SearchFilter(["note"]), _FILES)
            latest_first = sorted(owned, key=lambda row: (row["updated_at"], row["node_id"]), reverse=True)
            assert [hit.node_id for hit in hits] == [row["node_id"] for row in latest_first]
            assert len({hit.position for hit in hits}) == len(owned)
            for hit, row in zip(hits, latest_first, strict=True):
                moment = row["updated_at"]
                assert isinstance(moment, datetime)
                assert 0 <= hit.position - first_position(moment) < 256
            some = [hit.node_id for hit in await latest(tx, owner, SearchFilter(["99.txt"]), 10**4)]
            assert sorted(some) == [row["node_id"] for row in owned if "99.txt" in str(row["text"])]
    await database.aclose()


async def test_a_downgrade_keeps_the_documents_and_can_be_undone(url: str) -> None:
    before = _documents()
    await migrations.upgrade(url, "0008")
    await _insert(url, before)
    await migrations.upgrade(url)
    await migrations.downgrade(url, "0008")
    assert await _rows(url) == before

    await migrations.upgrade(url)
    await _assert_found(url, before)
