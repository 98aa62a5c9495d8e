"""INSERT statements that can have an ``ON CONFLICT`` clause, which SQLAlchemy declares for each dialect apart.

A dialect is imported when it is first used, since that of PostgreSQL would delay the start of a product on SQLite.
"""

from typing import TYPE_CHECKING, TypeAlias

from sqlalchemy import Table

from metastore.kit.database.tables import Base

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

Insert: TypeAlias = "sqlite.Insert | postgresql.Insert"


def insert_into(table: Table | type[Base], dialect: str) -> Insert:
    """Return an INSERT into ``table`` for the dialect of that name, ``sqlite`` or ``postgresql``."""
    if dialect == "sqlite":
        from sqlalchemy.dialects.sqlite import insert as sqlite_insert  # noqa: PLC0415

        return sqlite_insert(table)
    from sqlalchemy.dialects.postgresql import insert as postgresql_insert  # noqa: PLC0415

    return postgresql_insert(table)
