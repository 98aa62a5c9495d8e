"""Every statement behind a player's requests is a range scan of one index, on both databases."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest
from sqlalchemy import event, text

from metastore.features.files.listing import node_lookup
from metastore.features.media.playback import queries
from metastore.kit.database.unit_of_work import Database, Transaction
from tests.fixtures.accounts import add_user
from tests.fixtures.memory_store import MemoryObjectStore
from tests.fixtures.stored_films import Renditions, StoredFilm, film_renditions, store_file, store_film

__all__ = ["film_renditions"]


@contextmanager
def statements(database: Database) -> Iterator[list[tuple[str, Any]]]:
    """Collect the statements that are sent to the database."""
    sent: list[tuple[str, Any]] = []

    def record_statement(*args: Any) -> None:  # noqa: ANN401  the event has arguments of many types
        sent.append((args[2], args[3]))

    event.listen(database.engine.sync_engine, "before_cursor_execute", record_statement)
    yield sent
    event.remove(database.engine.sync_engine, "before_cursor_execute", record_statement)


@asynccontextmanager
async def explaining(database: Database) -> AsyncIterator[Transaction]:
    """Open a transaction in which even small tables are read by an index if possible."""
    async with database.reading() as tx:
        if database.dialect != "sqlite":
            for setting in ("enable_seqscan = off", "enable_bitmapscan = off"):
                await tx.session.execute(text(f"SET LOCAL {setting}"))
        yield tx


async def plan_of(tx: Transaction, sql: str, values: Any) -> str:  # noqa: ANN401  typed by the driver
    """Return the query plan of a statement."""
    prefix = "EXPLAIN QUERY PLAN " if tx.dialect == "sqlite" else "EXPLAIN "
    connection = await tx.session.connection()
    rows = await connection.exec_driver_sql(prefix + sql, values)
    return "\n".join(str(row[3 if tx.dialect == "sqlite" else 0]) for row in rows)


@pytest.mark.parametrize("kind", ["master", "media", "subtitles"])
async def test_requests_of_players_use_indexes(database: Database, film_renditions: Renditions, kind: str) -> None:
    """No table is scanned, and the number of statements does not grow with the number of segments."""
    store, owner = MemoryObjectStore(), await add_user(database)
    file_id = await store_film(database, store, owner, StoredFilm(film_renditions))
    await store_file(database, store, owner, "film.vi.srt", b"x", "text/plain")
    with statements(database) as sent:
        async with database.reading() as tx:
            file = await node_lookup.streamable_file(tx, file_id)
            assert file is not None
            requests: dict[str, Callable[[], Any]] = {
                "master": lambda: queries.renditions_of(tx, file_id),
                "media": lambda: _segments(tx, file_id),
                "subtitles": lambda: node_lookup.sidecars_of(tx, file, limit=200),
            }
            assert await requests[kind]()
    selects = [(sql, values) for sql, values in sent if sql.lstrip().startswith("SELECT")]
    assert len(selects) <= 3
    async with explaining(database) as tx:
        for sql, values in selects:
            plan = await plan_of(tx, sql, values)
            assert "SCAN" not in plan.replace("INDEX SCAN", ""), plan
            assert "Seq Scan" not in plan, plan
            assert "Sort" not in plan
            assert "TEMP B-TREE" not in plan, plan


async def _segments(tx: Transaction, file_id: str) -> list[tuple[int, int]]:
    rendition = await queries.rendition_named(tx, file_id, "v180")
    assert rendition is not None
    return await queries.segments_of(tx, rendition.id)
