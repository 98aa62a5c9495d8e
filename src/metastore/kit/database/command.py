"""Commands: statements that change rows, built once like queries, and executed in writing transactions.

On SQLite they go straight to the thread of the connection, since the way through SQLAlchemy's session costs several
times what a short statement does. On PostgreSQL they are executed by the session::

    _ADD = RowInsert(Nothing, insert(table_of(Entry)))
    _CLOSE = Command(Id, update(_T).where(_T.c.id == bindparam("entry")).values(closed=True).returning(_T.c.id))

    await tx.execute_all(_ADD, [{"id": new_id(), "name": name} for name in names])
    closed = await tx.execute(_CLOSE, entry=entry_id)
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Generic, NamedTuple

from sqlalchemy import Delete, Dialect, Insert, TextClause, Update

from metastore.kit.database.query import Prepared, Row

Change = Insert | Update | Delete | TextClause


class Nothing(NamedTuple):
    """The row of a command that returns none."""


class Id(NamedTuple):
    """The row of a command that returns the ids of what it changed."""

    id: str


class Command(Generic[Row]):
    """A statement that changes rows and returns rows of the named tuple ``row``, whose fields are its columns in order.

    Where the databases need different statements, ``statement`` is a function of the dialect's name.
    """

    def __init__(self, row: type[Row], statement: Change | Callable[[str], Change]) -> None:
        self.row = row
        self._statement = statement
        self._statements: dict[str, Change] = {}
        self._prepared: dict[tuple[str, Sequence[str]], Prepared[Row]] = {}

    def statement(self, dialect: str) -> Change:
        """Return the statement for the dialect of that name."""
        found = self._statements.get(dialect)
        if found is None:
            statement = self._statement(dialect) if callable(self._statement) else self._statement
            found = self._statements[dialect] = statement
        return found

    def prepared(self, dialect: Dialect, parameters: Mapping[str, object]) -> Prepared[Row]:
        """Return the command compiled for ``dialect``; it is compiled once."""
        return self._prepare(dialect, ())

    def _prepare(self, dialect: Dialect, columns: Sequence[str]) -> Prepared[Row]:
        key = dialect.name, columns
        found = self._prepared.get(key)
        if found is None:
            statement = self.statement(dialect.name)
            found = self._prepared[key] = Prepared(self.row, statement, dialect, columns or None)
        return found


class RowInsert(Command[Row]):
    """An INSERT without values of its own: its parameters are the columns of a row, the same ones for every row."""

    def prepared(self, dialect: Dialect, parameters: Mapping[str, object]) -> Prepared[Row]:
        """Return the command compiled for ``dialect`` and these columns; it is compiled once for each set of them."""
        return self._prepare(dialect, tuple(parameters))
