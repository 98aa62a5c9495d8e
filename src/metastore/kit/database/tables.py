"""The declarative base and column types of all tables."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from sqlalchemy import Column, DateTime, Dialect, Index, MetaData, SQLColumnExpression, Table, TextClause
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.sql.roles import DDLConstraintColumnRole
from sqlalchemy.types import TypeDecorator
from sqlalchemy.util import PopulateDict


class UtcDateTime(TypeDecorator[datetime]):
    """An aware ``datetime`` in UTC. SQLite has no time zones and stores it as naive UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert to UTC. Naive values are rejected."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime is not allowed here")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None] | None:
        """Return what converts a stored value; for SQLite in one step, since lists convert hundreds."""
        return _from_sqlite if dialect.name == "sqlite" else super().result_processor(dialect, coltype)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return an aware value."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _from_sqlite(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value + "+00:00")


class Base(DeclarativeBase):
    """Base of all tables. Constraints have predictable names, so that migrations can drop them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class PartialIndex(Index):
    """An index of the rows for which ``where`` is true, on every database.

    ``Index`` takes the condition once for each dialect, and imports all of them at once to check their options. That of
    PostgreSQL would delay the start of a product on SQLite.
    """

    def __init__(
        self,
        name: str,
        *columns: DDLConstraintColumnRole | Column[Any] | str,
        where: SQLColumnExpression[bool] | TextClause,
        unique: bool = False,
    ) -> None:
        self._where = where
        super().__init__(name, *columns, unique=unique)

    @cached_property
    def dialect_options(self) -> PopulateDict[str, Any]:
        """The options by the name of the dialect, which is imported when its options are first needed."""
        defaults = super().dialect_options

        def options(dialect: str) -> object:
            found = defaults[dialect]
            found["where"] = self._where
            return found

        return PopulateDict(options)


def table_of(model: type[Base]) -> Table:
    """Return the table of a model, for statements that write and return rows instead of entities."""
    table = model.__table__
    if not isinstance(table, Table):
        raise TypeError(f"{model.__name__} is not mapped to a table")
    return table
