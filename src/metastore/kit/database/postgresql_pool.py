"""Checks pooled connections to PostgreSQL before they are used, at the price of a round trip only where it may help.

SQLAlchemy's own check takes three round trips at every checkout. A connection that the server has closed, as when it
restarts, is known to be closed without asking. Only one that has been idle for a while is asked, since a firewall or a
dead machine may have dropped it silently.
"""

import time
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

IDLE_SECONDS = 5.0
"""How long a connection may be idle and still be used without being asked."""
_IDLE_SINCE = "metastore_idle_since"


def check_idle_connections(engine: AsyncEngine) -> None:
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
