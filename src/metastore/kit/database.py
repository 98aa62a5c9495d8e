"""Engines and the unit of work, on SQLite and PostgreSQL alike.

One request or one message is one transaction: an endpoint or consumer opens it, services and repositories work in it
and never commit. Facts recorded in it (``Transaction.record``) are committed with it; whoever asked to be told
(the relay) is told after the commit.

**SQLite** runs in WAL with ``synchronous=FULL``: a commit is on disk when it returns. It has one writer at a time, so
writing transactions begin with ``BEGIN IMMEDIATE`` (no upgrade from reading to writing, which could fail half-way) and
queue up fairly on a lock of ours instead of polling the file lock. Keep them short: hash passwords, call object stores
and read files outside. Reading transactions run beside the writer on their own connections.

**PostgreSQL** runs at READ COMMITTED; limits are enforced by conditional ``UPDATE`` statements, never by
``SELECT`` then ``UPDATE``.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event, make_url, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from metastore.kit import sqlite_connection
from metastore.kit.facts import Fact
from metastore.kit.outbox import outbox_row
from metastore.kit.problem import Problem, storage_full, unavailable

_SQLITE_BUSY_SECONDS = 30
_POSTGRESQL: dict[str, Any] = {
    "timeout": 5,
    "command_timeout": 25,
    # The server gives up on its own, too: a process that died or hangs must not hold rows that others wait for. The
    # longest pause inside a transaction is the relay's, while the broker confirms.
    "server_settings": {
        "application_name": "metastore",
        "statement_timeout": "25s",
        "lock_timeout": "20s",
        "idle_in_transaction_session_timeout": "60s",
    },
}


class Transaction:
    """An open unit of work."""

    def __init__(self, session: AsyncSession, dialect: str) -> None:
        self.session = session
        self.dialect = dialect
        self.recorded = 0
        self.takes_back = False
        """Set by whoever takes back, in this transaction, what the request had committed before it failed."""

    def record(self, fact: Fact) -> None:
        """Store ``fact`` in the outbox, to be published once this transaction has committed."""
        self.session.add(outbox_row(fact))
        self.recorded += 1


BeforeCommit = Callable[[Transaction], Awaitable[None]]
_before_commit: ContextVar[BeforeCommit | None] = ContextVar("metastore_before_commit", default=None)


@contextmanager
def before_commit(callback: BeforeCommit) -> Iterator[None]:
    """Have ``callback`` add its statements to every writing transaction that the block commits, as the last of them.

    When it raises, the transaction rolls back.
    """
    token = _before_commit.set(callback)
    try:
        yield
    finally:
        _before_commit.reset(token)


class Database:
    """Opens transactions on one database."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self.url = make_url(url)
        self.dialect = self.url.get_backend_name()
        self.engine = _create_engine(url, pool_size)
        self._writer = asyncio.Lock() if self.single_writer else None
        self._listeners: list[Callable[[], None]] = []

    @property
    def single_writer(self) -> bool:
        """Whether one process alone writes to this database (SQLite)."""
        return self.dialect == "sqlite"

    def on_recorded(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` after each commit that recorded facts."""
        self._listeners.append(listener)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """A transaction that commits when the block ends and rolls back when it raises.

        Raises:
            Problem: 503 ``unavailable`` when the database cannot be reached, 507 ``storage-full`` when its disk is
                full.
        """
        async with self._writer or nullcontext(), self._open(writing=True) as tx:
            yield tx
        if tx.recorded:
            for listener in self._listeners:
                listener()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Transaction]:
        """A transaction that sees one state and writes nothing; on SQLite it never waits for the writer."""
        async with self._open(writing=False) as tx:
            yield tx

    @asynccontextmanager
    async def _open(self, *, writing: bool) -> AsyncIterator[Transaction]:
        try:
            async with AsyncSession(self.engine, expire_on_commit=False, autoflush=True) as session:
                await session.connection(execution_options={"metastore_writing": writing})
                tx = Transaction(session, self.dialect)
                yield tx
                if writing:
                    callback = _before_commit.get()
                    if callback is not None:
                        await callback(tx)
                    await session.commit()
        except (DBAPIError, PoolTimeoutError, OSError, TimeoutError) as error:
            problem = problem_of(error)
            if problem is None:
                raise
            raise problem from error

    async def check(self) -> None:
        """Return when the database answers.

        Raises:
            Problem: 503 when it does not.
        """
        async with self.reading() as tx:
            await tx.session.execute(text("SELECT 1"))

    async def aclose(self) -> None:
        """Close all connections."""
        await self.engine.dispose()


_FULL = ("disk is full", "disk full", "no space left", "disk quota exceeded", "file too large")
# Connection trouble, too few resources, an operator's (or a timeout's) intervention, a lock that did not come free,
# and transactions that stood in each other's way.
_POSTGRESQL_AWAY = ("08", "53", "57", "55P03", "40001", "40P01")
_SQLITE_AWAY = ("locked", "unable to open", "disk i/o error", "readonly database")


def problem_of(error: BaseException) -> Problem | None:
    """What a failing database means for the caller, or ``None`` when the fault is the statement's."""
    message = str(error).lower()
    if any(sign in message for sign in _FULL):
        return storage_full()
    if isinstance(error, DBAPIError):
        # SQLite calls a wrong statement "operational", too; that is no reason to come back later.
        is_sqlite = "sqlite" in type(error.orig).__module__
        away = any(sign in message for sign in _SQLITE_AWAY) if is_sqlite else isinstance(error, OperationalError)
        away = away or error.connection_invalidated or _comes_back(getattr(error.orig, "sqlstate", None))
    else:
        away = isinstance(error, OSError | TimeoutError | PoolTimeoutError)
    return unavailable("The database does not respond.") if away else None


def _comes_back(sqlstate: str | None) -> bool:
    """Whether PostgreSQL says by this code that another try may succeed: while it starts or stops, say."""
    return bool(sqlstate) and str(sqlstate).startswith(_POSTGRESQL_AWAY)


def _create_engine(url: str, pool_size: int) -> AsyncEngine:
    # Parameters hold password hashes and addresses, and errors are logged.
    options: dict[str, Any] = {
        "pool_size": pool_size,
        "max_overflow": 0,
        "pool_timeout": 10,
        "hide_parameters": True,
    }
    if make_url(url).get_backend_name() != "sqlite":
        return create_async_engine(url, pool_pre_ping=True, connect_args=_POSTGRESQL, **options)
    path = make_url(url).database
    if path:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    connecting = {"timeout": _SQLITE_BUSY_SECONDS, "async_creator_fn": sqlite_connection.connect}
    engine = create_async_engine(url, connect_args=connecting, **options)
    event.listen(engine.sync_engine, "connect", _configure_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _configure_sqlite(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    # The driver must not open transactions by itself: it would begin them deferred.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY", "cache_size=-16000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writing = connection.get_execution_options().get("metastore_writing", True)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
