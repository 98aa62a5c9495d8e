"""Group commit on SQLite: units of work that come at the same time share a commit, and so its wait for the disk.

Units execute one after the other on one connection, in the order in which they came. The first one begins a
transaction; when it ends while others wait, they join it, each in a savepoint of its own, and the commit queues behind
them. So a lone unit never waits for company, and a group consists of those that would have waited for it anyway.
A group takes no more units after ``MAX_UNITS`` or ``MAX_SECONDS``. Units that may take long share their commit with
nobody, because those before them in the group would wait for them.

**What others see.** A unit ends for its caller only when the commit of its group is on disk. A unit sees what those
before it in the group wrote, although it is not on disk yet. What it concludes from that ("the name is taken") may be
false if the commit fails, so a failed unit waits for the commit as well, and reports the commit's failure in place of
its own. Reading transactions use other connections, which see only what is committed.

**When something fails.** A failed or cancelled unit is undone alone. When the commit fails, or SQLite rolls back the
whole transaction (as on a full disk), nothing of the group is kept and all its units fail. For a while after that,
units commit separately: on a full disk, a deletion that fits must not fail with an upload that does not.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession

from metastore.kit.database.engine import SHARES_COMMITS, Session
from metastore.kit.database.shared_transaction import SharedTransaction
from metastore.kit.database.sqlite_connection import OneTripConnection

MAX_UNITS = 100
MAX_SECONDS = 0.02
SEPARATE_SECONDS = 5.0

Note = TypeVar("Note")


@dataclass
class Unit(Generic[Note]):
    """A unit of work in progress. Its ``note`` is for the listener after the commit.

    It executes statements by ``driver``, or by a session, which is opened when it is needed.
    """

    connection: AsyncConnection
    driver: OneTripConnection
    note: Note | None = None
    _session: AsyncSession | None = None

    def open_session(self) -> AsyncSession:
        """Return the unit's session, opened with the first call."""
        if self._session is None:
            self._session = Session(bind=self.connection, expire_on_commit=False, autoflush=True)
        return self._session

    async def keep(self) -> None:
        """End the unit and keep what it did for the next commit."""
        if self._session is not None:
            await self._session.commit()
        await self.driver.commit()  # of a unit whose session has executed nothing
        if self._session is not None:
            self._session.sync_session.close()

    async def close_session(self) -> None:
        """Close the session, and roll back what it has not committed."""
        if self._session is not None:
            await self._session.close()


@dataclass
class _Group(Generic[Note]):
    """Units that share a commit. ``done`` gives the error of the commit, or ``None`` when it is on disk."""

    began: float
    done: asyncio.Future[Exception | None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    notes: list[Note] = field(default_factory=list)
    closer: asyncio.Task[None] | None = None


@dataclass
class _Writer:
    """The connection that all units write on."""

    connection: AsyncConnection
    driver: OneTripConnection
    shared: SharedTransaction


class GroupCommit(Generic[Note]):
    """Executes units of work on a SQLite database. ``listener`` is called after each commit with the units' notes."""

    def __init__(self, engine: AsyncEngine, listener: Callable[[Sequence[Note]], None]) -> None:
        self._engine = engine
        self._listener = listener
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._writer: _Writer | None = None
        self._group: _Group[Note] | None = None
        self._separate_until = 0.0
        self._undoing: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def unit(self, *, alone: bool) -> AsyncIterator[Unit[Note]]:
        """Execute a unit, which is on disk when the block has ended, or undone when the block or the commit has failed.

        Args:
            alone: Share the commit with no other unit.

        Raises:
            Exception: the error of the commit. Units of one group raise the same error.
        """
        writer, group = await self._begin(alone=alone)
        unit = Unit[Note](writer.connection, writer.driver)
        try:
            yield unit
            await unit.keep()
        except BaseException as error:
            await self._end_failed(writer, group, unit, error)
            raise
        if unit.note is not None:
            group.notes.append(unit.note)
        self._end(writer, group, alone=alone)
        failure = await asyncio.shield(group.done)
        if failure is not None:
            raise failure

    async def aclose(self) -> None:
        """Close the connection, after the units in progress."""
        async with self._turn:
            if self._writer is not None and self._group is not None:
                self._close_group(self._writer, self._group)
            await self._disconnect()

    async def _begin(self, *, alone: bool) -> tuple[_Writer, _Group[Note]]:
        """Wait for the turn, and return the group to join. Afterwards the caller has to pass the turn on."""
        self._waiting += 1
        try:
            await self._turn.acquire()
        finally:
            self._waiting -= 1
        try:
            writer = self._writer or await self._connect()
            if self._group is not None and (alone or self._is_full(writer, self._group)):
                self._close_group(writer, self._group)
            if self._group is None:
                self._group = _Group[Note](time.monotonic())
        except BaseException:
            self._turn.release()
            raise
        return writer, self._group

    def _is_full(self, writer: _Writer, group: _Group[Note]) -> bool:
        now = time.monotonic()
        return writer.shared.kept >= MAX_UNITS or now - group.began >= MAX_SECONDS or now < self._separate_until

    def _end(self, writer: _Writer, group: _Group[Note], *, alone: bool) -> None:
        """Pass the turn on after a unit that ended well."""
        try:
            if alone or not self._waiting or self._is_full(writer, group):
                self._close_group(writer, group)
            elif group.closer is None:
                group.closer = asyncio.create_task(self._close_in_turn(writer, group), name="group commit")
        finally:
            self._turn.release()

    async def _end_failed(self, writer: _Writer, group: _Group[Note], unit: Unit[Note], error: BaseException) -> None:
        """Undo a unit, even if its task is cancelled again, and wait for the commit of what it may have seen.

        Raises:
            Exception: that commit failed.
        """
        joined = writer.shared.kept > 0
        undoing = asyncio.create_task(self._undo(writer, group, unit, error), name="undo a unit")
        self._undoing.add(undoing)
        undoing.add_done_callback(self._undoing.discard)
        await asyncio.shield(undoing)
        if joined and isinstance(error, Exception):
            failure = await asyncio.shield(group.done)
            if failure is not None:
                raise failure from error

    async def _undo(self, writer: _Writer, group: _Group[Note], unit: Unit[Note], error: BaseException) -> None:
        try:
            if not await self._is_undone(writer, unit):
                writer.shared.reset()
                lost = error if isinstance(error, Exception) else OSError("the shared transaction was rolled back")
                self._settle(group, lost)
        finally:
            self._turn.release()

    async def _is_undone(self, writer: _Writer, unit: Unit[Note]) -> bool:
        """Undo a unit. Return whether what the group did before is still there."""
        try:
            await unit.close_session()
            await writer.connection.rollback()  # the session leaves a transaction open whose commit raised
            return await writer.driver.undo_shared(writer.shared)
        except Exception:  # noqa: BLE001  whatever it was, the state of the connection is unknown
            await self._disconnect()
            return False

    async def _close_in_turn(self, writer: _Writer, group: _Group[Note]) -> None:
        async with self._turn:
            if self._group is group:
                self._close_group(writer, group)

    def _close_group(self, writer: _Writer, group: _Group[Note]) -> None:
        """Commit a group. The next unit need not wait: its statements queue behind the commit."""
        if not writer.shared.kept:
            self._settle(group, None)
            return
        self._group = None
        try:
            committing = writer.driver.commit_shared(writer.shared)
        except ValueError as error:  # the connection is closed
            self._settle(group, OSError(str(error)))
            return
        committing.add_done_callback(lambda commit: self._settle(group, commit.exception()))

    def _settle(self, group: _Group[Note], failure: BaseException | None) -> None:
        if self._group is group:
            self._group = None
        if group.done.done():
            return
        if failure is not None:
            self._separate_until = time.monotonic() + SEPARATE_SECONDS
        group.done.set_result(failure if failure is None or isinstance(failure, Exception) else OSError(str(failure)))
        if failure is None and group.notes:
            self._listener(group.notes)

    async def _connect(self) -> _Writer:
        connection = await self._engine.connect()
        await connection.execution_options(**{SHARES_COMMITS: True})
        driver = (await connection.get_raw_connection()).driver_connection
        assert isinstance(driver, OneTripConnection)  # noqa: S101  as the engine was made
        driver.shared = SharedTransaction()
        self._writer = _Writer(connection, driver, driver.shared)
        return self._writer

    async def _disconnect(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.driver.shared = None
            await writer.connection.invalidate()
            await writer.connection.close()
