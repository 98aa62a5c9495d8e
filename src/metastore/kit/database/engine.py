"""Engines and sessions: how SQLAlchemy connects to SQLite and PostgreSQL here.

**Sessions** give their connection back even if their task is cancelled. Closing a session rolls its transaction back,
which takes a trip to the database. If a task is cancelled meanwhile, SQLAlchemy reports the unfinished rollback as an
error and discards the connection.

**Pooled connections to PostgreSQL** are checked before they are used, at the price of a round trip only where it may
help. SQLAlchemy's own check takes three round trips at every checkout. A connection that the server has closed, as when
it restarts, is known to be closed without asking. Only one that has been idle for a while is asked, since a firewall or
a dead machine may have dropped it silently.
"""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection, ExceptionContext
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from metastore.kit.database import sqlite_connection
from metastore.kit.waiting import finished

SHARES_COMMITS = "metastore_shares_commits"
"""The execution option of the connection that units write on."""
IDLE_SECONDS = 5.0
"""How long a connection to PostgreSQL may be idle and still be used without being asked."""
_IDLE_SINCE = "metastore_idle_since"
_SQLITE_BUSY_SECONDS = 30
_POSTGRESQL: dict[str, Any] = {
    "timeout": 5,
    "command_timeout": 25,
    # Server-side limits as well, so that a dead or hanging process does not keep its row locks. The longest idle time
    # inside a transaction is the relay's, while it waits for publisher confirms.
    "server_settings": {
        "application_name": "metastore",
        "statement_timeout": "25s",
        "lock_timeout": "20s",
        "idle_in_transaction_session_timeout": "60s",
    },
}


class Session(AsyncSession):
    """A session whose ``close`` is always finished when it returns or raises."""

    async def close(self) -> None:
        """Close the session and roll back what it has not committed.

        Raises:
            CancelledError: the task was cancelled meanwhile; the session is closed all the same.
        """
        if not self.in_transaction():
            await super().close()
            return
        await finished(asyncio.create_task(super().close(), name="close a session"))


def to_json(value: object) -> str:
    """Return the JSON of a column's value."""
    try:
        return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:  # a lone surrogate, or an integer of more than 64 bits
        return json.dumps(value)


def from_json(document: str | bytes) -> object:
    """Return the value of a column, given its JSON. An integer of more than 64 bits is returned as a float."""
    try:
        return orjson.loads(document)
    except ValueError:  # the escape of a lone surrogate
        return json.loads(document)


def create_engine(url: str, pool_size: int) -> AsyncEngine:
    """Return an engine for ``url`` with at most ``pool_size`` connections. Makes the folder of a SQLite database."""
    # Parameters are hidden because errors are logged, and parameters contain password hashes and addresses.
    options: dict[str, Any] = {
        "pool_size": pool_size,
        "max_overflow": 0,
        "pool_timeout": 10,
        "hide_parameters": True,
        "json_serializer": to_json,
        "json_deserializer": from_json,
    }
    if make_url(url).get_backend_name() != "sqlite":
        engine = create_async_engine(url, connect_args=_POSTGRESQL, **options)
        _check_idle_connections(engine)
        return engine
    path = make_url(url).database
    if path:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    connect_args = {"timeout": _SQLITE_BUSY_SECONDS, "async_creator_fn": sqlite_connection.connect}
    engine = create_async_engine(url, connect_args=connect_args, **options)
    event.listen(engine.sync_engine, "connect", _configure_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    event.listen(engine.sync_engine, "handle_error", _keep_cancelled_connection)
    return engine


def _configure_sqlite(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    # Without this the driver begins transactions itself, and deferred ones.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY", "cache_size=-16000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get(SHARES_COMMITS):
        return  # begun with the first statement
    writing = options.get("metastore_writing", True)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _keep_cancelled_connection(context: ExceptionContext) -> None:
    """Keep the shared connection when a statement is cancelled, as a listener of ``handle_error``.

    SQLAlchemy would close it, and with it the work of the other units. The cancelled unit is undone instead, after the
    statement, because the connection's thread executes everything in order.
    """
    connection = context.connection
    if connection is not None and connection.get_execution_options().get(SHARES_COMMITS):
        context.is_disconnect = False


def _check_idle_connections(engine: AsyncEngine) -> None:
    """Replace connections of ``engine`` that are closed, or do not respond after they were idle."""
    dialect = engine.sync_engine.dialect

    def on_checkout(connection: DBAPIConnection, entry: ConnectionPoolEntry, _proxy: PoolProxiedConnection) -> None:
        driver: Any = entry.driver_connection  # asyncpg has no types
        if driver.is_closed():
            raise DisconnectionError("the server has closed the connection")
        if time.monotonic() - entry.info.get(_IDLE_SINCE, time.monotonic()) > IDLE_SECONDS:
            try:
                dialect.do_ping(connection)
            except Exception as error:
                raise DisconnectionError("the connection does not respond") from error

    def on_checkin(_connection: DBAPIConnection | None, entry: ConnectionPoolEntry) -> None:
        entry.info[_IDLE_SINCE] = time.monotonic()

    event.listen(engine.sync_engine, "checkout", on_checkout)
    event.listen(engine.sync_engine, "checkin", on_checkin)
