"""Schema migrations for SQLite and PostgreSQL.

Each revision is a file in ``versions/``. There is no ``alembic.ini``: the configuration is created here, so that the
revisions are part of the package and can be run by ``metastore migrate`` and at the start of ``metastore serve``.

An upgrade is one transaction: after a failure or a kill, the schema is unchanged. Processes that start at the same time
upgrade one after another, by an advisory lock in PostgreSQL and by the write lock in SQLite; those that come later have
nothing left to do. Alembic takes long to import and a tenth of an idle product's memory, so it is imported only when a
database is not at the newest revision.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, event, inspect, make_url, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, NullPool

if TYPE_CHECKING:
    from alembic.config import Config

_ADVISORY_LOCK = 0x4D455441  # "META"; any number will do, as long as it never changes.
_LOCK_SECONDS = 60
"""Seconds to wait for the write lock of SQLite."""


class UnknownRevisionError(Exception):
    """This version of the product does not know the database's revision."""


def configuration() -> "Config":
    """Return the configuration for Alembic's commands."""
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    return config


def head() -> str:
    """Return the newest revision of this version of the product."""
    newest = max(path.name for path in (Path(__file__).parent / "versions").glob("[0-9]*.py"))
    return newest.partition("_")[0]


def is_declared_by_models(name: str | None, _kind: str, _parents: object) -> bool:
    """Return whether Alembic may compare this table or index. The index of the search's keys is beyond its models."""
    return name is None or not name.startswith(("search_keys", "ix_search_documents_keys"))


async def upgrade(database_url: str, revision: str = "head") -> None:
    """Upgrade the database to ``revision``. A missing SQLite file is created.

    Raises:
        OSError, sqlalchemy.exc.DBAPIError: the database is unreachable or rejects a statement.
        UnknownRevisionError: this version does not know the database's revision.
    """
    if revision == "head" and not await pending(database_url):
        return
    from alembic import command  # noqa: PLC0415

    await _run(database_url, lambda config: command.upgrade(config, revision))


async def downgrade(database_url: str, revision: str) -> None:
    """Downgrade the database to ``revision`` (``base`` for no tables). Data added by later revisions is lost."""
    from alembic import command  # noqa: PLC0415

    await _run(database_url, lambda config: command.downgrade(config, revision))


async def current(database_url: str) -> str | None:
    """Return the database's revision, or ``None`` if it has no tables yet."""
    async with _connected(database_url) as connection:
        return await connection.run_sync(_revision)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


async def pending(database_url: str) -> bool:
    """Return whether the database is not at the newest revision."""
    return await current(database_url) != head()


async def _run(database_url: str, work: "Callable[[Config], None]") -> None:
    from alembic.util import CommandError  # noqa: PLC0415

    def run(connection: Connection) -> None:
        config = configuration()
        config.attributes["connection"] = connection
        try:
            work(config)
        except CommandError as error:
            raise UnknownRevisionError(str(error)) from error

    async with _connected(database_url) as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
        await connection.run_sync(run)


@asynccontextmanager
async def _connected(database_url: str) -> AsyncIterator[AsyncConnection]:
    """Open a connection whose transactions include DDL.

    On SQLite, foreign keys are off: changing a table may mean creating a new one and copying the rows.
    """
    url = make_url(database_url)
    if url.get_backend_name() != "sqlite":
        engine = create_async_engine(url, poolclass=NullPool, connect_args={"timeout": 10})
    else:
        Path(url.database or "").parent.mkdir(parents=True, exist_ok=True)
        engine = create_async_engine(url, poolclass=NullPool, connect_args={"timeout": _LOCK_SECONDS})
        event.listen(engine.sync_engine, "connect", _disable_implicit_transactions)
        event.listen(engine.sync_engine, "begin", _begin_immediate)
    try:
        async with engine.connect() as connection:
            yield connection
    finally:
        await engine.dispose()


def _disable_implicit_transactions(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    connection.isolation_level = None


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
