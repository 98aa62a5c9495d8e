"""The database's schema, step by step, on SQLite and PostgreSQL alike.

A revision is a file in ``versions/``. There is no ``alembic.ini``: the configuration is made here, so that the
revisions travel in the package and are run by ``metastore migrate`` and at the start of ``metastore serve``.

An upgrade is one transaction: after a failure or a kill the schema is the one of before. Processes that start together
queue up, on an advisory lock in PostgreSQL and on the writer's lock in SQLite; the later ones find nothing to do.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, event, make_url, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, NullPool

_ADVISORY_LOCK = 0x4D455441  # "META": any number will do, so long as it never changes
_LOCK_SECONDS = 60


def configuration() -> Config:
    """Alembic's configuration, for whoever calls one of its commands."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    return config


def head() -> str | None:
    """The newest revision that this version of the product knows."""
    return ScriptDirectory.from_config(configuration()).get_current_head()


async def upgrade(database_url: str, revision: str = "head") -> None:
    """Bring the database to ``revision``; a SQLite file that is missing is made.

    Raises:
        OSError, sqlalchemy.exc.DBAPIError: the database cannot be reached or refuses a statement.
        alembic.util.CommandError: the database has a revision that this version does not know.
    """
    await _run(database_url, lambda config: command.upgrade(config, revision))


async def downgrade(database_url: str, revision: str) -> None:
    """Take the database back to ``revision`` (``base``: no table at all); what later revisions added is lost."""
    await _run(database_url, lambda config: command.downgrade(config, revision))


async def current(database_url: str) -> str | None:
    """The revision that the database is at; ``None`` when it has no tables yet."""
    async with _connected(database_url) as connection:
        return await connection.run_sync(lambda plain: MigrationContext.configure(plain).get_current_revision())


async def pending(database_url: str) -> bool:
    """Whether ``upgrade`` would have something to do."""
    return await current(database_url) != head()


async def _run(database_url: str, work: Callable[[Config], None]) -> None:
    def run(connection: Connection) -> None:
        config = configuration()
        config.attributes["connection"] = connection
        work(config)

    async with _connected(database_url) as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
        await connection.run_sync(run)


@asynccontextmanager
async def _connected(database_url: str) -> AsyncIterator[AsyncConnection]:
    """A connection of its own, in a transaction that holds DDL too.

    Foreign keys are off on SQLite, where changing a table may mean building it anew beside the old one.
    """
    url = make_url(database_url)
    if url.get_backend_name() != "sqlite":
        engine = create_async_engine(url, poolclass=NullPool, connect_args={"timeout": 10})
    else:
        Path(url.database or "").parent.mkdir(parents=True, exist_ok=True)
        engine = create_async_engine(url, poolclass=NullPool, connect_args={"timeout": _LOCK_SECONDS})
        event.listen(engine.sync_engine, "connect", _leave_transactions_to_us)
        event.listen(engine.sync_engine, "begin", _begin_immediate)
    try:
        async with engine.connect() as connection:
            yield connection
    finally:
        await engine.dispose()


def _leave_transactions_to_us(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    connection.isolation_level = None


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
