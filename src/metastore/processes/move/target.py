"""The database that is moved to: whose it is, and what is put aside while rows come in."""

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
from metastore.kit.database import Database
from metastore.kit.tables import Base
from metastore.processes.move import rows

_MARK = "moving-"


class MoveRefusedError(Exception):
    """The move cannot be made, or cannot go on; the message is one line for the operator."""


class MovedBeforeError(Exception):
    """Everything is there already: an earlier move came to its end, and nothing has happened here since."""


def all_tables() -> list[Table]:
    """Every table of the product, those that others refer to first."""
    return list(Base.metadata.sorted_tables)


async def name_of_instance(source: Database) -> str:
    """What tells this instance from every other.

    Raises:
        MoveRefusedError: it has no user yet, hence nothing to move.
    """
    async with source.reading() as tx:
        first = await tx.session.scalar(select(func.min(Base.metadata.tables["users"].c.id)))
    if first is None:
        raise MoveRefusedError("there is nothing to move: no user was ever made")
    return _MARK + hashlib.sha256(first.encode()).hexdigest()[:24]


class Target:
    """The claimed database; ``url`` is its address."""

    def __init__(self, url: str, database: Database) -> None:
        self._url = url
        self.database = database
        if database.single_writer:
            event.listen(database.engine.sync_engine, "connect", _without_foreign_keys)

    async def claim(self, instance: str, source: Database) -> None:
        """Make it that of this instance, whose database is ``source``, or find that it is.

        Raises:
            MovedBeforeError: the move was made, by a process that may not have come to say so.
            MoveRefusedError: it has rows already, or another instance is moving in.
        """
        current = await migrations.current(self._url)
        if current == instance:
            return
        if current is not None and current.startswith(_MARK):
            raise MoveRefusedError("another instance's move to this database was begun and not ended")
        await migrations.upgrade(self._url)
        if await _has_all_of(self.database, source):
            raise MovedBeforeError
        for table in all_tables():
            if await rows.count(self.database, table):
                raise MoveRefusedError(f"the database is not empty: there are rows in {table.name}")
        await self._set_revision(instance)

    async def put_aside_foreign_keys(self) -> None:
        """Let rows come in any order."""
        if self.database.single_writer:
            return
        async with self.database.transaction() as tx:
            connection = await tx.session.connection()
            there = await connection.run_sync(_foreign_keys)
            for constraint in _declared_foreign_keys():
                if constraint.name in there:
                    await tx.session.execute(DropConstraint(constraint))

    async def finish(self) -> None:
        """Make the foreign keys anew, let counters go on behind the rows, and let products start.

        Raises:
            MoveRefusedError: a reference leads nowhere.
        """
        async with self.database.transaction() as tx:
            connection = await tx.session.connection()
            if self.database.single_writer:
                dangling = (await tx.session.execute(text("PRAGMA foreign_key_check"))).first()
                if dangling is not None:
                    raise MoveRefusedError(f"a row of {dangling[0]} refers to one of {dangling[2]} that is not there")
            else:
                there = await connection.run_sync(_foreign_keys)
                for constraint in _declared_foreign_keys():
                    if constraint.name not in there:
                        await tx.session.execute(AddConstraint(constraint, isolate_from_table=False))
                await connection.run_sync(_advance_counters)
        await self._set_revision(migrations.head() or "")

    async def _set_revision(self, revision: str) -> None:
        async with self.database.transaction() as tx:
            await tx.session.execute(text("UPDATE alembic_version SET version_num = :new"), {"new": revision})


async def _has_all_of(database: Database, source: Database) -> bool:
    """Whether the latest that happened in ``source`` is known here: every change is told of in these tables."""
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


def _advance_counters(connection: Connection) -> None:
    """PostgreSQL counts automatic keys in sequences of their own, which copied rows do not move."""
    for table in all_tables():
        counted = table.autoincrement_column
        if counted is not None and isinstance(counted.type, Integer):
            sequence = func.pg_get_serial_sequence(table.name, counted.name)
            latest = select(func.max(counted)).scalar_subquery()
            connection.execute(select(func.setval(sequence, func.coalesce(latest, 0) + 1, False)))


def _without_foreign_keys(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys=OFF")
    cursor.close()
