"""SQLite connections that switch to their thread once per statement.

aiosqlite runs each connection in a thread, so that the event loop never waits for the disk. Its cursors switch to the
thread for every operation: create, execute, fetch and close. For short indexed statements, these switches cost several
times the statement itself. Here one switch does all four.
"""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import aiosqlite
from sqlalchemy.exc import DBAPIError

from metastore.kit.database.shared_transaction import SharedTransaction

Parameters = Sequence[object] | Mapping[str, object]
Row = tuple[object, ...]
Statement = tuple[str, Sequence[Parameters]]
"""SQL, and the rows of parameters for each of which it is executed."""
_Result = TypeVar("_Result")


def connect(database: str, **options: Any) -> "OneTripConnection":  # noqa: ANN401  those of sqlite3.connect
    """Return a connection for SQLAlchemy's ``async_creator_fn``. Options are those of ``sqlite3.connect``."""
    connection = OneTripConnection(partial(sqlite3.connect, database, **options), iter_chunk_size=64)
    # The thread must not delay the end of the process. Killing it is safe for SQLite.
    connection._thread.daemon = True  # noqa: SLF001  as SQLAlchemy does with connections that it makes itself
    return connection


class OneTripConnection(aiosqlite.Connection):
    """An aiosqlite connection whose cursors make one trip to its thread per statement."""

    shared: SharedTransaction | None = None
    """When set, commits and rollbacks end a unit of this transaction; ``commit_shared`` commits what they kept."""

    def cursor(self) -> "OneTripCursor":  # type: ignore[override]  # SQLAlchemy only enters it
        """Return a cursor without switching to the thread."""
        return OneTripCursor(self)

    async def commit(self) -> None:
        """Commit, or end the current unit of the shared transaction."""
        if self.shared is None:
            await super().commit()
        else:
            self.shared.keep(self._conn)

    async def rollback(self) -> None:
        """Roll back, or undo the current unit of the shared transaction."""
        if self.shared is None:
            await super().rollback()
        else:
            await self.undo_shared(self.shared)

    async def undo_shared(self, shared: SharedTransaction) -> bool:
        """Undo the current unit. Return whether what earlier units did is still there."""
        return await self._submit(partial(shared.undo, self._conn))

    async def run(self, *statements: Statement) -> list[Row]:
        """Execute statements in one trip to the thread. Return what the last one returns for all of its rows.

        Raises:
            DBAPIError: SQLite refused one of them, in the class that SQLAlchemy has for the reason.
        """
        try:
            return await self.send(*statements)
        except asyncio.CancelledError:
            if self.shared is not None:
                self.shared.interrupt()
            raise

    def send(self, *statements: Statement) -> asyncio.Future[list[Row]]:
        """Do as ``run``, without waiting: later statements are executed after these."""

        def execute() -> list[Row]:
            found: list[Row] = []
            if self.shared is not None:
                self.shared.enter(self._conn)
            for sql, rows in statements:
                found = self._execute_all(sql, rows)
            return found

        return self._submit(execute)

    def _execute_all(self, sql: str, rows: Sequence[Parameters]) -> list[Row]:
        try:
            if len(rows) == 1:
                return self._conn.execute(sql, rows[0]).fetchall()
            return [row for parameters in rows for row in self._conn.execute(sql, parameters)]
        except sqlite3.Error as error:
            raise DBAPIError.instance(sql, None, error, sqlite3.Error, hide_parameters=True) from error

    def commit_shared(self, shared: SharedTransaction) -> asyncio.Future[None]:
        """Queue the commit at once, before any later statement. The future is done when it is on disk or has failed."""
        shared.reset()
        return self._submit(partial(shared.commit, self._conn))

    def _submit(self, function: Callable[[], _Result]) -> asyncio.Future[_Result]:
        if not self._running:
            raise ValueError("Connection closed")  # as the library does
        future: asyncio.Future[_Result] = asyncio.get_running_loop().create_future()
        self._tx.put_nowait((future, function))
        return future


class OneTripCursor:
    """The part of an asynchronous cursor that SQLAlchemy needs. Rows are buffered until they are fetched."""

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
        """Execute a statement and fetch all rows."""
        await self._run(partial(sqlite3.Connection.execute, self._connection._conn, statement, parameters))  # noqa: SLF001
        return self

    async def executemany(self, statement: str, parameters: Iterable[Parameters]) -> "OneTripCursor":
        """Execute a statement for each of ``parameters``."""
        await self._run(partial(sqlite3.Connection.executemany, self._connection._conn, statement, parameters))  # noqa: SLF001
        return self

    async def fetchone(self) -> Row | None:
        """Return the next row."""
        return self._rows.popleft() if self._rows else None

    async def fetchmany(self, size: int | None = None) -> list[Row]:
        """Return the next ``size`` rows."""
        return [self._rows.popleft() for _ in range(min(size or self.arraysize, len(self._rows)))]

    async def fetchall(self) -> list[Row]:
        """Return the remaining rows."""
        rows = list(self._rows)
        self._rows.clear()
        return rows

    async def close(self) -> None:
        """Discard the rows."""
        self._rows.clear()

    async def _run(self, execute: "partial[sqlite3.Cursor]") -> None:
        shared = self._connection.shared

        def trip() -> tuple[sqlite3.Cursor, list[Row]]:
            if shared is not None:
                shared.enter(self._connection._conn)  # noqa: SLF001
            cursor = execute()
            rows: list[Row] = cursor.fetchall() if cursor.description else []
            return cursor, rows

        try:
            # The connection's thread queue, which the library leaves untyped.
            cursor, rows = await self._connection._execute(trip)  # type: ignore[no-untyped-call]  # noqa: SLF001
        except asyncio.CancelledError:
            if shared is not None:
                shared.interrupt()
            raise
        self._rows = deque(rows)
        self.description, self.rowcount, self.lastrowid = cursor.description, cursor.rowcount, cursor.lastrowid
