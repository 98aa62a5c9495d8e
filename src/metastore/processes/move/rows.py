"""Read, write and compare the rows of any table unchanged.

JSON columns are copied as text, so that their content is not interpreted (``null`` and SQL ``NULL`` stay distinct).
"""

import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Table,
    Text,
    bindparam,
    cast,
    delete,
    func,
    select,
    tuple_,
    type_coerce,
)

from metastore.kit.database.inserts import insert_into
from metastore.kit.database.unit_of_work import Database, Transaction

PAGE = 500
Row = dict[str, Any]
Key = tuple[Any, ...]


def key_of(table: Table, row: Row) -> Key:
    """Return the row's primary key."""
    return tuple(row[column.name] for column in table.primary_key)


async def pages(database: Database, table: Table) -> AsyncIterator[list[Row]]:
    """Yield all rows in the order of their primary key, ``PAGE`` at a time."""
    key = _key_columns(table)
    after: Key | None = None
    while True:
        statement = _selection(table, database.dialect).order_by(*key).limit(PAGE)
        if after is not None:
            statement = statement.where(
                tuple_(*key)
                > tuple_(*(bindparam(None, part, column.type) for part, column in zip(after, key, strict=True)))
            )
        async with database.reading() as tx:
            page = [dict(row) for row in (await tx.session.execute(statement)).mappings()]
        if not page:
            return
        yield page
        after = key_of(table, page[-1])


async def rows_of(tx: Transaction, table: Table, keys: Sequence[Key]) -> dict[Key, Row]:
    """Return the existing rows with these primary keys."""
    statement = _selection(table, tx.dialect).where(_is_one_of(table, keys))
    rows = [dict(row) for row in (await tx.session.execute(statement)).mappings()]
    return {key_of(table, row): row for row in rows}


async def write(tx: Transaction, table: Table, rows: Sequence[Row], *, replace: bool) -> None:
    """Insert the rows. Existing rows with the same primary key are replaced, or kept without ``replace``."""
    values = {column.name: _write_expression(column, tx.dialect) for column in _columns(table)}
    key = [column.name for column in table.primary_key]
    inserting = insert_into(table, tx.dialect).values(values)
    others = {name: inserting.excluded[name] for name in values if name not in key}
    statement = (
        inserting.on_conflict_do_update(index_elements=key, set_=others)
        if replace and others
        else inserting.on_conflict_do_nothing(index_elements=key)
    )
    parameters = [{f"new_{name}": value for name, value in row.items()} for row in rows]
    connection = await tx.session.connection()
    await connection.execute(statement, parameters)


async def remove(tx: Transaction, table: Table, keys: Sequence[Key]) -> None:
    """Delete the rows with these primary keys."""
    await tx.session.execute(delete(table).where(_is_one_of(table, keys)))


async def count(database: Database, table: Table) -> int:
    """Return the number of rows."""
    async with database.reading() as tx:
        return await tx.session.scalar(select(func.count()).select_from(table)) or 0


def equal(table: Table, one: Row, other: Row) -> bool:
    """Return whether two rows have the same values, however each database formats JSON."""
    return all(
        _comparable(column, one[column.name]) == _comparable(column, other[column.name]) for column in _columns(table)
    )


def _columns(table: Table) -> list[Column[Any]]:
    return [column for column in table.columns if column.computed is None]


def _key_columns(table: Table) -> list[Column[Any]]:
    return list(table.primary_key)


def _selection(table: Table, dialect: str) -> Any:  # noqa: ANN401  a Select whose row type is known only at run time
    return select(*(_read_expression(column, dialect).label(column.name) for column in _columns(table)))


def _read_expression(column: Column[Any], dialect: str) -> ColumnElement[Any]:
    if not isinstance(column.type, JSON):
        return column
    return type_coerce(column, Text) if dialect == "sqlite" else cast(column, Text)


def _write_expression(column: Column[Any], dialect: str) -> ColumnElement[Any]:
    # Not the column's name, which the dialects use for parameters of their own.
    name = f"new_{column.name}"
    if not isinstance(column.type, JSON):
        return bindparam(name, type_=column.type)
    text = bindparam(name, type_=Text())
    return text if dialect == "sqlite" else cast(text, column.type)


def _is_one_of(table: Table, keys: Sequence[Key]) -> ColumnElement[bool]:
    columns = _key_columns(table)
    if len(columns) == 1:
        return columns[0].in_([key[0] for key in keys])
    return tuple_(*columns).in_(keys)


def _comparable(column: Column[Any], value: Any) -> Any:  # noqa: ANN401  a column's value
    return json.loads(value) if isinstance(column.type, JSON) and value is not None else value
