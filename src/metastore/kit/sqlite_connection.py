"""SQLite connections that need one trip to their thread for each statement.

aiosqlite keeps a thread for each connection, so that the event loop never waits for a disk. Its cursors go there for
every step: to be made, to execute, to fetch, to be closed. For the short indexed statements of a request those trips
cost several times the statement itself. Here one trip does all four.
"""

import sqlite3
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import aiosqlite

Parameters = Sequence[object] | Mapping[str, object]
Row = tuple[object, ...]


def connect(database: str, **options: Any) -> "OneTripConnection":  # noqa: ANN401  those of sqlite3.connect
    """A connection to be awaited, as SQLAlchemy's ``async_creator_fn``; options are those of ``sqlite3.connect``."""
    connection = OneTripConnection(partial(sqlite3.connect, database, **options), iter_chunk_size=64)
    # A process that ends in a hurry is not held up; SQLite survives that.
    connection._thread.daemon = True  # noqa: SLF001  as SQLAlchemy does with connections that it makes itself
    return connection


class OneTripConnection(aiosqlite.Connection):
    """See the module."""

    def cursor(self) -> "OneTripCursor":  # type: ignore[override]  # SQLAlchemy enters it, which is all that is asked
        """A cursor; making it is no trip."""
        return OneTripCursor(self)


class OneTripCursor:
    """What SQLAlchemy needs of an asynchronous cursor. Rows are held until they are fetched."""

    arraysize = 1

    def __init__(self, connection: OneTripConnection) -> None:
        self._connection = connection
        self._rows: deque[Row] = deque()
        self.description: Sequence[Row] | None = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> "OneTripCursor":
        return self

    async def execute(self, statement: str, parameters: Parameters = ()) -> "OneTripCursor":
        """Execute, and bring all rows."""
        await self._run(partial(sqlite3.Connection.execute, self._connection._conn, statement, parameters))  # noqa: SLF001
        return self

    async def executemany(self, statement: str, parameters: Iterable[Parameters]) -> "OneTripCursor":
        """Execute for each of ``parameters``."""
        await self._run(partial(sqlite3.Connection.executemany, self._connection._conn, statement, parameters))  # noqa: SLF001
        return self

    async def fetchone(self) -> Row | None:
        """The next row."""
        return self._rows.popleft() if self._rows else None

    async def fetchmany(self, size: int | None = None) -> list[Row]:
        """The next ``size`` rows."""
        return [self._rows.popleft() for _ in range(min(size or self.arraysize, len(self._rows)))]

    async def fetchall(self) -> list[Row]:
        """The rows that are left."""
        rows = list(self._rows)
        self._rows.clear()
        return rows

    async def close(self) -> None:
        """Let go of the rows."""
        self._rows.clear()

    async def _run(self, execute: "partial[sqlite3.Cursor]") -> None:
        def trip() -> tuple[sqlite3.Cursor, list[Row]]:
            cursor = execute()
            rows: list[Row] = cursor.fetchall() if cursor.description else []
            return cursor, rows

        # The queue of the connection's thread, which the library leaves untyped.
        cursor, rows = await self._connection._execute(trip)  # type: ignore[no-untyped-call]  # noqa: SLF001
        self._rows = deque(rows)
        self.description, self.rowcount, self.lastrowid = cursor.description, cursor.rowcount, cursor.lastrowid
