"""Readers: how a query outside any writing transaction reaches the database with the least work.

**SQLite**: switching to a connection's thread and back costs more than a short indexed read. ``SqliteReader`` therefore
reads on a connection of its own, on the event loop. Nothing long may run there: a statement is interrupted after
``LIMIT_SECONDS`` of work, and its query runs on a connection with a thread, now and for ``SLOW_SECONDS``. One that
waits for a slow disk is interrupted after ``WAIT_SECONDS``, and runs there this time. Within a full-text index nothing
interrupts a statement; one that took too long runs there from the next time on.

**PostgreSQL**: ``PostgresqlReader`` hands the query to the driver, without opening a transaction.
"""

import asyncio
import sqlite3
import time
from typing import Any, Protocol

from sqlalchemy import Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from metastore.kit.database.query import Parameters, Query, Row

LIMIT_SECONDS = 0.004
"""The processor time that a statement may take on the event loop: on a busy machine, waiting for it says nothing."""
WAIT_SECONDS = 0.05
"""The longest that a statement may keep the event loop, reading from a slow disk, apart from waiting for one page."""
SLOW_SECONDS = 10.0
_INSTRUCTIONS = 500
"""Instructions of SQLite's virtual machine between two checks of the time: some ten microseconds."""


class Reader(Protocol):
    """Executes queries outside any transaction."""

    async def fetch(self, query: Query[Row], parameters: Parameters) -> list[Row] | None:
        """Return the rows of ``query``, or ``None`` if it has to be executed by a session instead."""
        ...

    def close(self) -> None:
        """Close what the reader has opened."""
        ...


class SqliteReader:
    """Reads the database file at ``path`` on the event loop, by a connection that cannot write."""

    def __init__(self, path: str, dialect: Dialect) -> None:
        self._path = path
        self._dialect = dialect
        self._connection: sqlite3.Connection | None = None
        self._limit = 0.0
        self._deadline = 0.0
        self._slow: dict[object, float] = {}

    async def fetch(self, query: Query[Row], parameters: Parameters) -> list[Row] | None:
        """Return the rows, or ``None`` if the query takes too long for the event loop, or the database is busy."""
        if self._slow and self._is_slow(query):
            return None
        prepared = query.prepared(self._dialect)
        arguments = prepared.arguments(parameters)
        self._limit = time.thread_time() + LIMIT_SECONDS
        self._deadline = time.monotonic() + WAIT_SECONDS
        try:
            found = self.connection().execute(prepared.sql, arguments).fetchall()
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)  # errors of the module have none
            if code == sqlite3.SQLITE_INTERRUPT:
                if time.thread_time() > self._limit:
                    self._slow[query] = time.monotonic() + SLOW_SECONDS
                return None
            if code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                return None
            raise DBAPIError(prepared.sql, None, error, hide_parameters=True) from error
        if time.thread_time() > self._limit:  # within a full-text index, nothing interrupts it
            self._slow[query] = time.monotonic() + SLOW_SECONDS
        return prepared.rows(found)

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def connection(self) -> sqlite3.Connection:
        """Return the connection, opened when it is first used."""
        if self._connection is not None:
            return self._connection
        connection = sqlite3.connect(
            self._path, timeout=0, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        for pragma in ("query_only=ON", "temp_store=MEMORY", "cache_size=-8000"):
            connection.execute(f"PRAGMA {pragma}")
        connection.set_progress_handler(self._is_late, _INSTRUCTIONS)
        self._connection = connection
        return connection

    def _is_late(self) -> bool:
        return time.thread_time() > self._limit or time.monotonic() > self._deadline

    def _is_slow(self, query: object) -> bool:
        until = self._slow.get(query)
        if until is not None and until <= time.monotonic():
            del self._slow[query]
            return False
        return until is not None


class PostgresqlReader:
    """Reads by the driver's own connections, from the pool of ``engine``."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def fetch(self, query: Query[Row], parameters: Parameters) -> list[Row] | None:
        """Return the rows."""
        prepared = query.prepared(self._engine.dialect)
        arguments = prepared.arguments(parameters)
        async with self._engine.connect() as connection:
            # asyncpg has no types.
            driver: Any = (await connection.get_raw_connection()).driver_connection
            try:
                return prepared.rows(await driver.fetch(prepared.sql, *arguments))
            except (OSError, asyncio.CancelledError):
                raise
            except Exception as error:
                lost = bool(driver.is_closed())
                raise DBAPIError(
                    prepared.sql, None, error, hide_parameters=True, connection_invalidated=lost
                ) from error

    def close(self) -> None:
        """Do nothing: the connections belong to the engine."""
