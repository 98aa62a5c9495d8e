"""The unit of work on SQLite and PostgreSQL.

One request or one message is one transaction. An endpoint or consumer opens it; services and repositories work in it
and never commit. Events recorded in it (``Transaction.record``) are committed with it.

**SQLite** runs in WAL mode with ``synchronous=FULL``: a commit is on disk when it returns. It allows one writer at a
time. Writing transactions begin with ``BEGIN IMMEDIATE``, because upgrading a reading transaction can fail half-way,
and queue in the process instead of polling the file lock. Those that come at the same time share a commit
(``group_commit``). Keep them short: hash passwords, call object stores and read files outside. Reads run concurrently,
on connections of their own.

**PostgreSQL** runs at READ COMMITTED; limits are enforced by conditional ``UPDATE`` statements, never by
``SELECT`` then ``UPDATE``.

Short reads are made by queries (``Transaction.fetch``): outside a writing transaction they need no transaction at all.
"""

import asyncio
import sqlite3
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from functools import partial
from typing import ClassVar, Protocol

from sqlalchemy import Dialect, make_url, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncSession

from metastore.kit.database.command import Command, Nothing, RowInsert
from metastore.kit.database.engine import Session, create_engine
from metastore.kit.database.group_commit import GroupCommit
from metastore.kit.database.query import Prepared, Query, Row
from metastore.kit.database.readers import PostgresqlReader, Reader, SqliteReader
from metastore.kit.database.sqlite_connection import OneTripConnection, Statement
from metastore.kit.problems.problem import Problem, storage_full, unavailable


class Recordable(Protocol):
    """An event that can be stored with a transaction. ``outbox`` is the command that inserts its row."""

    outbox: ClassVar[RowInsert[Nothing]]

    def outbox_row(self) -> dict[str, object]:
        """Return the row to insert."""
        ...


class Transaction:
    """An open unit of work, which opens its session when needed.

    One that only reads has a ``reader`` for its queries; one that writes to SQLite has a ``driver`` for its statements.
    """

    def __init__(
        self,
        session: AsyncSession | Callable[[], AsyncSession],
        dialect: Dialect,
        reader: Reader | None = None,
        driver: OneTripConnection | None = None,
    ) -> None:
        self._session = session
        self._dialect = dialect
        self._reader = reader
        self._driver = driver
        self._recorded: defaultdict[RowInsert[Nothing], list[dict[str, object]]] = defaultdict(list)
        self._soon: list[Statement] = []
        self._sent: list[asyncio.Future[list[tuple[object, ...]]]] = []
        self.dialect = dialect.name
        self.recorded = 0
        self.scheduled: dict[str, datetime] = {}
        self.marks: set[str] = set()
        """What is to be known of the transaction before it commits (``Database.before_commit``)."""

    @property
    def session(self) -> AsyncSession:
        """The session with the database. What it executes comes after what ``execute_soon`` was called for."""
        if self._driver is not None and self._soon:
            self._sent.append(self._driver.send(*self._take_soon()))
            self._sent[-1].add_done_callback(_retrieve_error)
        if not isinstance(self._session, AsyncSession):
            self._session = self._session()
        return self._session

    async def fetch(self, query: Query[Row], **parameters: object) -> list[Row]:
        """Return all rows of ``query``.

        While only reading, each query sees what is committed when it starts. In a writing transaction it also sees the
        changes made so far.
        """
        if self._reader is not None:
            rows = await self._reader.fetch(query, parameters)
            if rows is not None:
                return rows
        if self._driver is not None:
            return await self._run(self._driver, query.prepared(self._dialect), [parameters])
        found = await self.session.execute(query.statement(self.dialect), parameters)
        return [query.row._make(row) for row in found]

    async def fetch_first(self, query: Query[Row], **parameters: object) -> Row | None:
        """Return the first row of ``query``, if any; see ``fetch``."""
        rows = await self.fetch(query, **parameters)
        return rows[0] if rows else None

    async def execute(self, command: Command[Row], **parameters: object) -> list[Row]:
        """Execute ``command``; return the rows that it returns.

        Raises:
            IntegrityError: it violates a constraint.
        """
        return await self.execute_all(command, [parameters])

    async def execute_all(self, command: Command[Row], rows: Sequence[Mapping[str, object]]) -> list[Row]:
        """Execute ``command`` for each of ``rows``, its parameters, in order; return the rows that it returns.

        Raises:
            IntegrityError: it violates a constraint.
        """
        if not rows:
            return []
        if self._driver is not None:
            return await self._run(self._driver, command.prepared(self._dialect, rows[0]), rows)
        values = rows if len(rows) > 1 else rows[0]
        result = await self.session.execute(command.statement(self.dialect), values)
        returns_rows: bool = result.returns_rows  # type: ignore[attr-defined]  # a CursorResult
        return [command.row._make(row) for row in result] if returns_rows else []

    async def execute_soon(self, command: Command[Nothing], rows: Sequence[Mapping[str, object]]) -> None:
        """Execute ``command`` for each of ``rows``, at the latest before the next statement or the commit.

        On SQLite it is executed together with that statement, which saves a trip to the connection's thread. That
        statement then raises its errors, or the end of the transaction does.
        """
        if self._driver is None:
            await self.execute_all(command, rows)
        elif rows:
            prepared = command.prepared(self._dialect, rows[0])
            self._soon.append((prepared.sql, [prepared.arguments(row) for row in rows]))

    def _take_soon(self) -> list[Statement]:
        soon, self._soon = self._soon, []
        return soon

    async def _run(
        self, driver: OneTripConnection, prepared: Prepared[Row], rows: Sequence[Mapping[str, object]]
    ) -> list[Row]:
        session = self._session
        if isinstance(session, AsyncSession) and (session.new or session.dirty or session.deleted):
            await session.flush()
        await self._await_sent()
        statement = (prepared.sql, [prepared.arguments(row) for row in rows])
        return prepared.rows(await driver.run(*self._take_soon(), statement))

    async def _await_sent(self) -> None:
        sent, self._sent = self._sent, []
        for each in sent:
            await each

    async def flush(self) -> None:
        """Insert the recorded events, and execute what was left for later, in the session and outside it."""
        if isinstance(self._session, AsyncSession):
            await self._session.flush()
        recorded, self._recorded = self._recorded, defaultdict(list)
        for insertion, rows in recorded.items():
            await self.execute_all(insertion, rows)
        if self._driver is not None and self._soon:
            await self._driver.run(*self._take_soon())
        await self._await_sent()

    async def forget_entities(self) -> None:
        """Flush, and forget the entities that the session has loaded."""
        if isinstance(self._session, AsyncSession):
            await self._session.flush()
            self._session.expunge_all()

    async def aclose(self) -> None:
        """Close the session if it was opened, and roll back what was not committed."""
        if isinstance(self._session, AsyncSession):
            await self._session.close()

    def record(self, event: Recordable) -> None:
        """Store ``event`` in the outbox. It is published after this transaction has committed."""
        self._recorded[event.outbox].append(event.outbox_row())
        self.recorded += 1

    def schedule(self, topic: str, due_at: datetime) -> None:
        """Call the listeners of ``topic`` after this transaction has committed, with the earliest ``due_at``."""
        self.scheduled[topic] = min(due_at, self.scheduled.get(topic, due_at))


def _retrieve_error(sent: asyncio.Future[list[tuple[object, ...]]]) -> None:
    """Mark an error as seen, of a statement whose transaction may have failed before it waited for it."""
    if not sent.cancelled():
        sent.exception()


CommitHook = Callable[[Transaction], Awaitable[None]]
ScheduleListener = Callable[[datetime], None]


class Database:
    """Opens transactions on one database."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self.url = make_url(url)
        self.dialect = self.url.get_backend_name()
        self.engine = create_engine(url, pool_size)
        self._reading_engine = self.engine.execution_options(metastore_writing=False)
        self._reader: Reader = (
            SqliteReader(self.url.database or "", self.engine.dialect)
            if self.single_writer
            else PostgresqlReader(self.engine)
        )
        self._groups = GroupCommit[Transaction](self.engine, self._notify_listeners) if self.single_writer else None
        self._commit_hooks: list[CommitHook] = []
        self._listeners: list[Callable[[], None]] = []
        self._schedules: defaultdict[str, list[ScheduleListener]] = defaultdict(list)

    @property
    def single_writer(self) -> bool:
        """Whether only one process may write to this database (SQLite)."""
        return self.dialect == "sqlite"

    def before_commit(self, hook: CommitHook) -> None:
        """Await ``hook`` as the last thing in every writing transaction, before the recorded events are inserted.

        It may execute statements in the transaction. When it raises, the transaction rolls back.
        """
        self._commit_hooks.append(hook)

    def on_recorded(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` once after each commit that recorded events."""
        self._listeners.append(listener)

    def on_scheduled(self, topic: str, listener: ScheduleListener) -> None:
        """Call ``listener`` after each commit that scheduled work on ``topic``, with the earliest due time."""
        self._schedules[topic].append(listener)

    @contextmanager
    def scheduled(self, topic: str, listener: ScheduleListener) -> Iterator[None]:
        """Do as ``on_scheduled``, until the end of the block."""
        self.on_scheduled(topic, listener)
        try:
            yield
        finally:
            self._schedules[topic].remove(listener)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Open a transaction that commits when the block ends and rolls back when it raises.

        Raises:
            Problem: 503 ``unavailable`` when the database cannot be reached, 507 ``storage-full`` when its disk is
                full.
        """
        async with self._write(alone=False) as tx:
            yield tx

    @asynccontextmanager
    async def long_transaction(self) -> AsyncIterator[Transaction]:
        """Open a transaction as ``transaction`` does, for work that may take longer than some milliseconds.

        On SQLite it shares its commit with no other, so that none waits for it after its own work is done.
        """
        async with self._write(alone=True) as tx:
            yield tx

    @asynccontextmanager
    async def _write(self, *, alone: bool) -> AsyncIterator[Transaction]:
        if self._groups is None:
            async with self._open() as tx:
                yield tx
            self._notify_listeners([tx])
            return
        with _as_problems():
            async with self._groups.unit(alone=alone) as unit:
                tx = Transaction(unit.open_session, self.engine.dialect, driver=unit.driver)
                yield tx
                await self._finish(tx)
                unit.note = tx

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Transaction]:
        """Open a unit of work that only reads. On SQLite it never waits for the writer.

        Statements of its session share a transaction, which on SQLite sees one snapshot. Queries need none.
        """
        open_session = partial(Session, self._reading_engine, expire_on_commit=False)
        tx = Transaction(open_session, self.engine.dialect, self._reader)
        with _as_problems():
            try:
                yield tx
            finally:
                await tx.aclose()

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[Transaction]:
        with _as_problems():
            async with Session(self.engine, expire_on_commit=False, autoflush=True) as session:
                await session.connection()
                tx = Transaction(session, self.engine.dialect)
                yield tx
                await self._finish(tx)
                await session.commit()

    async def _finish(self, tx: Transaction) -> None:
        for hook in self._commit_hooks:
            await hook(tx)
        await tx.flush()

    def _notify_listeners(self, committed: Sequence[Transaction]) -> None:
        """Call the listeners that wait for what one commit has brought."""
        if any(tx.recorded for tx in committed):
            for listener in self._listeners:
                listener()
        earliest: dict[str, datetime] = {}
        for tx in committed:
            for topic, due_at in tx.scheduled.items():
                earliest[topic] = min(due_at, earliest.get(topic, due_at))
        for topic, due_at in earliest.items():
            for scheduled in list(self._schedules[topic]):
                scheduled(due_at)

    async def check(self) -> None:
        """Return when the database responds.

        Raises:
            Problem: 503 when it does not.
        """
        async with self.reading() as tx:
            await tx.session.execute(text("SELECT 1"))

    async def aclose(self) -> None:
        """Close all connections, after the transactions that write."""
        if self._groups is not None:
            await self._groups.aclose()
        self._reader.close()
        await self.engine.dispose()


_FULL = ("disk is full", "disk full", "no space left", "disk quota exceeded", "file too large")
# Connection errors, insufficient resources, operator intervention and timeouts, lock timeouts, serialization failures
# and deadlocks.
_POSTGRESQL_OUTAGE = ("08", "53", "57", "55P03", "40001", "40P01")
_SQLITE_OUTAGE = ("locked", "unable to open", "disk i/o error", "readonly database")


@contextmanager
def _as_problems() -> Iterator[None]:
    """Raise the errors of a database that is unavailable or full as problems."""
    try:
        yield
    except (DBAPIError, sqlite3.Error, PoolTimeoutError, OSError, TimeoutError) as error:
        problem = problem_of(error)
        if problem is None:
            raise
        raise problem from error


def problem_of(error: BaseException) -> Problem | None:
    """Return the 503 or 507 ``Problem`` for a database error, or ``None`` when the statement itself is wrong."""
    # Only the driver's message: SQLAlchemy's includes the statement, with columns such as ``locked_until``.
    driver_error = error.orig if isinstance(error, DBAPIError) else error
    message = str(driver_error).lower()
    if any(sign in message for sign in _FULL):
        return storage_full()
    if isinstance(driver_error, sqlite3.Error):
        # SQLite also reports invalid statements as OperationalError; retrying those is pointless.
        is_outage = any(sign in message for sign in _SQLITE_OUTAGE)
    elif isinstance(error, DBAPIError):
        is_outage = isinstance(error, OperationalError) or _is_transient(getattr(driver_error, "sqlstate", None))
    else:
        is_outage = isinstance(error, OSError | TimeoutError | PoolTimeoutError)
    is_outage = is_outage or (isinstance(error, DBAPIError) and error.connection_invalidated)
    return unavailable("The database does not respond.") if is_outage else None


def _is_transient(sqlstate: str | None) -> bool:
    """Return whether another attempt may succeed, for example while PostgreSQL is starting or stopping."""
    return bool(sqlstate) and str(sqlstate).startswith(_POSTGRESQL_OUTAGE)
