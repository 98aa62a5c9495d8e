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
    ColumnElement,
    CompoundSelect,
    Dialect,
    Select,
    SQLColumnExpression,
    String,
    Text,
    bindparam,
    column,
    func,
    select,
)

Row = TypeVar("Row", bound=NamedTuple)
Statement = Select[*tuple[Any, ...]] | CompoundSelect[*tuple[Any, ...]]
Parameters = Mapping[str, object]
_Processor = Callable[[Any], object]


class PreparedQuery(Generic[Row]):
    """A query compiled for one database, for execution by its driver: the SQL, and conversions of values."""

    def __init__(self, row: type[Row], statement: Statement, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        if compiled.post_compile_params or compiled.positiontup is None:
            raise ValueError("a query takes a list by one_of(), not by in_()")
        self.sql = str(compiled)
        self._make = row._make
        self._names: Sequence[str] = compiled.positiontup
        self._literals = {name: bind.value for name, bind in compiled.binds.items() if not bind.required}
        bind_types = [compiled.binds[name].type.dialect_impl(dialect) for name in self._names]
        self._binds = _processors(type_.bind_processor(dialect) for type_ in bind_types)
        result_types = [column.type.dialect_impl(dialect) for column in statement.selected_columns]
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
        self._prepared: dict[str, PreparedQuery[Row]] = {}

    def statement(self, dialect: str) -> Statement:
        """Return the statement for the dialect of that name."""
        found = self._statements.get(dialect)
        if found is None:
            statement = self._statement(dialect) if callable(self._statement) else self._statement
            found = self._statements[dialect] = statement
        return found

    def prepared(self, dialect: Dialect) -> PreparedQuery[Row]:
        """Return the query compiled for ``dialect``; it is compiled once."""
        found = self._prepared.get(dialect.name)
        if found is None:
            found = self._prepared[dialect.name] = PreparedQuery(self.row, self.statement(dialect.name), dialect)
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
