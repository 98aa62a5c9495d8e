"""SQL statements that update the search index."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple, TypedDict

from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    FromClause,
    Select,
    String,
    bindparam,
    column,
    delete,
    func,
    select,
    true,
)

from metastore.features.search.models import SearchDocument
from metastore.features.search.positions import SLOTS, first_position
from metastore.kit.database.command import Change, Command, Nothing, RowInsert
from metastore.kit.database.inserts import insert_into
from metastore.kit.database.query import Query, one_of
from metastore.kit.database.tables import table_of
from metastore.kit.database.unit_of_work import Transaction

_T = table_of(SearchDocument)
_SPAN = 16 * SLOTS
"""Positions after the first one of a moment among which its documents find theirs."""


class Entry(TypedDict):
    """A row of the index."""

    node_id: str
    owner_id: str
    kind: str
    category: str
    mime_type: str
    text: str
    updated_at: datetime
    position: int
    index_keys: str


class Stored(NamedTuple):
    """A row of the index, as far as it decides whether a document has changed."""

    node_id: str
    owner_id: str
    category: str
    mime_type: str
    text: str
    updated_at: datetime
    position: int


class _Position(NamedTuple):
    position: int


async def lock(tx: Transaction, owner_id: str) -> None:
    """Lock this owner's documents until the transaction ends. SQLite has a single writer and needs no lock."""
    if tx.dialect != "sqlite":
        key = func.hashtextextended(f"search {owner_id}", 0)
        await tx.session.execute(select(func.pg_advisory_xact_lock(key)))


def _stored(dialect: str) -> Select[tuple[str, str, str, str, str, datetime, int]]:
    columns = (_T.c.node_id, _T.c.owner_id, _T.c.category, _T.c.mime_type, _T.c.text, _T.c.updated_at, _T.c.position)
    return select(*columns).where(one_of(_T.c.node_id, "node_ids", dialect))


_STORED = Query(Stored, _stored)


async def stored(tx: Transaction, node_ids: Sequence[str]) -> Mapping[str, Stored]:
    """Return the documents of these nodes, by node."""
    return {row.node_id: row for row in await tx.fetch(_STORED, node_ids=list(node_ids))}


def _taken(dialect: str) -> Select[tuple[int]]:
    first = _listed("first_positions", dialect).c.value
    near = (_T.c.owner_id == bindparam("owner", type_=String)) & _T.c.position.between(first, first + _SPAN)
    return select(_T.c.position).where(near)


def _listed(parameter: str, dialect: str) -> FromClause:
    numbers = column("value", BigInteger)
    if dialect == "sqlite":
        return func.json_each(bindparam(parameter, type_=JSON)).table_valued(numbers)
    return func.unnest(bindparam(parameter, type_=ARRAY(BigInteger))).table_valued(numbers, name="value")


_TAKEN = Query(_Position, _taken)


async def taken_positions(tx: Transaction, owner_id: str, moments: Iterable[datetime]) -> set[int]:
    """Return the positions of the owner's documents at these moments, and shortly after them."""
    first_positions = sorted({first_position(moment) for moment in moments})
    return {row.position for row in await tx.fetch(_TAKEN, owner=owner_id, first_positions=first_positions)}


def _replace(dialect: str) -> Change:
    names = list(Entry.__annotations__)
    statement = insert_into(_T, dialect)
    updated = {name: statement.excluded[name] for name in names if name != "node_id"}
    if dialect != "sqlite":
        return statement.on_conflict_do_update(index_elements=["node_id"], set_=updated)
    # One statement for all rows: before each statement, FTS5 writes what it holds in memory.
    rows = func.json_each(bindparam("rows", type_=JSON)).table_valued(column("value", JSON))
    values = [func.json_extract(rows.c.value, f"$.{name}") for name in names]
    selected = select(*values).where(true())  # without a WHERE, SQLite takes ON CONFLICT for a join's
    return statement.from_select(names, selected).on_conflict_do_update(index_elements=["node_id"], set_=updated)


_SAVE_ROWS = RowInsert(Nothing, _replace)
_SAVE_LIST = Command(Nothing, _replace)


async def save(tx: Transaction, entries: Iterable[Entry]) -> None:
    """Insert documents, replacing those of the same nodes."""
    # Latest first: the order in which SQLite's index of the keys takes them best.
    ordered = sorted(entries, key=_position_of, reverse=True)
    if tx.dialect != "sqlite":
        await tx.execute_all(_SAVE_ROWS, ordered)
    elif ordered:
        await tx.execute(_SAVE_LIST, rows=[{**entry, "updated_at": _stored_moment(entry)} for entry in ordered])


def _stored_moment(entry: Entry) -> str:
    """Return the time of change in the form of SQLAlchemy on SQLite."""
    return entry["updated_at"].astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def _position_of(entry: Entry) -> int:
    return entry["position"]


_REMOVE = Command(Nothing, lambda dialect: delete(_T).where(one_of(_T.c.node_id, "node_ids", dialect)))


async def remove(tx: Transaction, node_ids: Collection[str]) -> None:
    """Delete the documents of these nodes."""
    if node_ids:
        await tx.execute(_REMOVE, node_ids=list(node_ids))
