"""The target database: claiming it, and dropping its foreign keys while rows are copied."""

import hashlib

from sqlalchemy import (
    Connection,
    ForeignKeyConstraint,
    Integer,
    Table,
    event,
    func,
    inspect,
    select,
    text,
)
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.schema import AddConstraint, DropConstraint

from metastore import migrations
from metastore.kit.database.tables import Base
from metastore.kit.database.unit_of_work import Database
from metastore.processes.move import rows

_MARK = "moving-"
"""Prefix of the mark that replaces the schema revision during a move."""


class MoveRefusedError(Exception):
    """The move cannot start or continue. The message is one line for the operator."""


class AlreadyMovedError(Exception):
    """An earlier move was completed, and the source has not changed since."""


def all_tables() -> list[Table]:
    """Return all tables, referenced tables first."""
    return list(Base.metadata.sorted_tables)


async def instance_mark(source: Database) -> str:
    """Return the mark that identifies this instance.

    Raises:
        MoveRefusedError: the instance has no users, and so nothing to move.
    """
    async with source.reading() as tx:
        first = await tx.session.scalar(select(func.min(Base.metadata.tables["users"].c.id)))
    if first is None:
        raise MoveRefusedError("there is nothing to move: the instance has no users")
    return _MARK + hashlib.sha256(first.encode()).hexdigest()[:24]


class Target:
    """The target database at ``url``."""

    def __init__(self, url: str, database: Database) -> None:
        self._url = url
        self.database = database
        if database.single_writer:
            event.listen(database.engine.sync_engine, "connect", _without_foreign_keys)

    async def claim(self, instance: str, source: Database) -> None:
        """Claim the database for the instance with the mark ``instance``, or check that it has it already.

        Raises:
            AlreadyMovedError: the move was already completed.
            MoveRefusedError: the database has rows of its own, or another instance is being moved to it.
        """
        current = await migrations.current(self._url)
        if current == instance:
            return
        if current is not None and current.startswith(_MARK):
            raise MoveRefusedError("an unfinished move of another instance to this database exists")
        await migrations.upgrade(self._url)
        if await _is_up_to_date(self.database, source):
            raise AlreadyMovedError
        for table in all_tables():
            if await rows.count(self.database, table):
                raise MoveRefusedError(f"the database is not empty: {table.name} has rows")
        await self._set_revision(instance)

    async def drop_foreign_keys(self) -> None:
        """Drop the foreign keys, so that rows can be inserted in any order. SQLite only disables them."""
        if self.database.single_writer:
            return
        async with self.database.transaction() as tx:
            connection = await tx.session.connection()
            existing = await connection.run_sync(_foreign_keys)
            for constraint in _declared_foreign_keys():
                if constraint.name in existing:
                    await tx.session.execute(DropConstraint(constraint))

    async def finish(self) -> None:
        """Create the foreign keys, advance the sequences, and set the schema revision.

        Raises:
            MoveRefusedError: a reference is dangling.
        """
        async with self.database.transaction() as tx:
            connection = await tx.session.connection()
            if self.database.single_writer:
                dangling = (await tx.session.execute(text("PRAGMA foreign_key_check"))).first()
                if dangling is not None:
                    raise MoveRefusedError(f"a row of {dangling[0]} refers to a missing row of {dangling[2]}")
            else:
                existing = await connection.run_sync(_foreign_keys)
                for constraint in _declared_foreign_keys():
                    if constraint.name not in existing:
                        await tx.session.execute(AddConstraint(constraint, isolate_from_table=False))
                await connection.run_sync(_advance_sequences)
        await self._set_revision(migrations.head() or "")

    async def _set_revision(self, revision: str) -> None:
        async with self.database.transaction() as tx:
            await tx.session.execute(text("UPDATE alembic_version SET version_num = :new"), {"new": revision})


async def _is_up_to_date(database: Database, source: Database) -> bool:
    """Return whether ``database`` has the latest rows of the tables that record every change."""
    for name in ("audit_logs", "outbox_events"):
        key = Base.metadata.tables[name].c.id
        async with source.reading() as tx:
            latest = await tx.session.scalar(select(func.max(key)))
        async with database.reading() as tx:
            if latest is None or await tx.session.scalar(select(key).where(key == latest)) is None:
                return False
    return True


def _declared_foreign_keys() -> list[ForeignKeyConstraint]:
    return [constraint for table in all_tables() for constraint in table.foreign_key_constraints]


def _foreign_keys(connection: Connection) -> set[str | None]:
    found = inspect(connection)
    return {key["name"] for table in all_tables() for key in found.get_foreign_keys(table.name)}


def _advance_sequences(connection: Connection) -> None:
    """Set PostgreSQL's sequences beyond the copied rows, which do not advance them."""
    for table in all_tables():
        column = table.autoincrement_column
        if column is not None and isinstance(column.type, Integer):
            sequence = func.pg_get_serial_sequence(table.name, column.name)
            latest = select(func.max(column)).scalar_subquery()
            connection.execute(select(func.setval(sequence, func.coalesce(latest, 0) + 1, False)))


def _without_foreign_keys(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys=OFF")
    cursor.close()
