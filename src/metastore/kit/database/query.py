"""Queries: SELECT statements that are built once and return named tuples.

Building a statement from ORM expressions costs several times as much as executing it, and so does loading entities. A
query is built when its module is imported, takes everything that varies as bound parameters, and is compiled once for
each database::

    class FileName(NamedTuple):
        id: str
        name: str

    _BY_OWNER = Query(FileName, select(Node.id, Node.name).where(Node.owner_id == bindparam("owner", type_=String)))

    names = await tx.fetch(_BY_OWNER, owner=owner_id)
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import (
    ARRAY,
    JSON,
    Column,
    ColumnElement,
    CompoundSelect,
    Delete,
    Dialect,
    Insert,
    Select,
    SQLColumnExpression,
    String,
    Text,
    TextClause,
    Update,
    bindparam,
    column,
    func,
    select,
)

Row = TypeVar("Row", bound=NamedTuple)
Statement = Select[*tuple[Any, ...]] | CompoundSelect[*tuple[Any, ...]] | TextClause
Parameters = Mapping[str, object]
_Processor = Callable[[Any], object]


class Prepared(Generic[Row]):
    """A statement compiled for one database, for execution by its driver: the SQL, and conversions of values.

    ``columns`` are those of an INSERT without values; each is a parameter.
    """

    def __init__(
        self,
        row: type[Row],
        statement: Statement | Insert | Update | Delete,
        dialect: Dialect,
        columns: Sequence[str] | None = None,
    ) -> None:
        compiled = statement.compile(dialect=dialect, column_keys=columns)
        if compiled.post_compile_params or compiled.positiontup is None:
            raise ValueError("a statement takes a list by one_of(), not by in_()")
        self.sql = str(compiled)
        self._make = row._make
        self._names: Sequence[str] = compiled.positiontup
        self._literals = {name: bind.value for name, bind in compiled.binds.items() if not bind.required}
        self._literals |= {column.name: _default_of(column) for column in compiled.insert_prefetch}
        bind_types = [compiled.binds[name].type.dialect_impl(dialect) for name in self._names]
        self._binds = _processors(type_.bind_processor(dialect) for type_ in bind_types)
        result_types = [column.type.dialect_impl(dialect) for column in _columns_of(statement)]
        self._results = _processors(type_.result_processor(dialect, None) for type_ in result_types)

    def arguments(self, parameters: Parameters) -> list[object]:
        """Return the driver's arguments, in order.

        Raises:
            KeyError: a parameter is missing.
        """
        values = {**self._literals, **parameters}
        arguments = [values[name] for name in self._names]
        for position, process in self._binds:
            arguments[position] = process(arguments[position])
        return arguments

    def rows(self, found: Iterable[Iterable[object]]) -> list[Row]:
        """Return the driver's rows as named tuples."""
        if not self._results:
            return [self._make(each) for each in found]
        rows = []
        for each in found:
            cells = list(each)
            for position, process in self._results:
                if cells[position] is not None:
                    cells[position] = process(cells[position])
            rows.append(self._make(cells))
        return rows


class Query(Generic[Row]):
    """A SELECT statement that returns rows of the named tuple ``row``, whose fields are its columns in order.

    Where the databases need different statements, ``statement`` is a function of the dialect's name.
    """

    def __init__(self, row: type[Row], statement: Statement | Callable[[str], Statement]) -> None:
        self.row = row
        self._statement = statement
        self._statements: dict[str, Statement] = {}
        self._prepared: dict[str, Prepared[Row]] = {}

    def statement(self, dialect: str) -> Statement:
        """Return the statement for the dialect of that name."""
        found = self._statements.get(dialect)
        if found is None:
            statement = self._statement(dialect) if callable(self._statement) else self._statement
            found = self._statements[dialect] = statement
        return found

    def prepared(self, dialect: Dialect) -> Prepared[Row]:
        """Return the query compiled for ``dialect``; it is compiled once."""
        found = self._prepared.get(dialect.name)
        if found is None:
            found = self._prepared[dialect.name] = Prepared(self.row, self.statement(dialect.name), dialect)
        return found


def one_of(value: SQLColumnExpression[str], parameter: str, dialect: str) -> ColumnElement[bool]:
    """Return the condition that ``value`` is in the list of strings that is bound as ``parameter``.

    The statement does not depend on the length of the list, as it does with ``in_()``.
    """
    if dialect == "sqlite":
        listed = func.json_each(bindparam(parameter, type_=JSON)).table_valued(column("value", String))
        return value.in_(select(listed.c.value))
    # Of text, since asyncpg asks the server about the type of any other array first.
    return value == func.any(bindparam(parameter, type_=ARRAY(Text)))


def _processors(found: Iterable[_Processor | None]) -> list[tuple[int, _Processor]]:
    return [(position, process) for position, process in enumerate(found) if process is not None]


def _columns_of(statement: Statement | Insert | Update | Delete) -> Iterable[ColumnElement[Any]]:
    if isinstance(statement, TextClause):
        return ()  # of unknown types: as the driver returns them
    return statement.selected_columns if isinstance(statement, Select | CompoundSelect) else statement.exported_columns


def _default_of(column: Column[Any]) -> object:
    """Return the default that an INSERT passes for a column that it does not name.

    Raises:
        ValueError: it is not a constant.
    """
    if column.default is None or not column.default.is_scalar:
        raise ValueError(f"an INSERT has to name the column {column.name}")
    return column.default.arg  # type: ignore[attr-defined]  # of a scalar
