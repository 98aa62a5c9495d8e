"""SQL statements on the search index."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple, TypedDict

from sqlalchemy import ColumnElement, Integer, Select, String, bindparam, delete, func, select, tuple_

from metastore.features.search.models import SearchDocument
from metastore.kit.database.command import Change, Nothing, RowInsert
from metastore.kit.database.inserts import insert_into
from metastore.kit.database.query import Query, one_of
from metastore.kit.database.tables import UtcDateTime, table_of
from metastore.kit.database.unit_of_work import Transaction

_BATCH_SIZE = 500
"""Rows per statement; both databases limit the number of parameters."""
_ESCAPE = "/"
_WILDCARD = re.compile(r"[/%_]")


class Entry(TypedDict):
    """A row of the index."""

    node_id: str
    owner_id: str
    kind: str
    category: str
    mime_type: str
    text: str
    updated_at: datetime


class Position(NamedTuple):
    """The position of a document in its owner's list, latest change first."""

    updated_at: datetime
    node_id: str


@dataclass(frozen=True, slots=True)
class SearchFilter:
    """The conditions that documents must meet: all ``terms`` in the text, and the kind, categories and media type."""

    terms: Sequence[str] = ()
    kind: str | None = None
    categories: Sequence[str] = ()
    mime_type: str | None = None
    """Either complete or only the main type with its slash, such as ``image/``."""
    since: datetime | None = None
    until: datetime | None = None


async def lock(tx: Transaction, owner_id: str) -> None:
    """Lock this owner's documents until the transaction ends. SQLite has a single writer and needs no lock."""
    if tx.dialect != "sqlite":
        key = func.hashtextextended(f"search {owner_id}", 0)
        await tx.session.execute(select(func.pg_advisory_xact_lock(key)))


def _replace(dialect: str) -> Change:
    statement = insert_into(table_of(SearchDocument), dialect)
    updated = {name: statement.excluded[name] for name in Entry.__annotations__ if name != "node_id"}
    return statement.on_conflict_do_update(index_elements=["node_id"], set_=updated)


_SAVE = RowInsert(Nothing, _replace)


async def save(tx: Transaction, entries: Sequence[Entry]) -> None:
    """Insert documents, replacing those of the same nodes."""
    await tx.execute_all(_SAVE, entries)


async def remove(tx: Transaction, node_ids: Sequence[str]) -> None:
    """Delete the documents of these nodes."""
    for start in range(0, len(node_ids), _BATCH_SIZE):
        batch = SearchDocument.node_id.in_(node_ids[start : start + _BATCH_SIZE])
        await tx.session.execute(delete(SearchDocument).where(batch))


async def latest(
    tx: Transaction, owner_id: str, criteria: SearchFilter, after: Position | None, limit: int
) -> list[Position]:
    """Return the positions of the owner's matching documents, latest change first."""
    query = _latest_query(_shape_of(criteria, after))
    return await tx.fetch(query, **_values(owner_id, criteria, after, limit))


def latest_statement(
    owner_id: str, criteria: SearchFilter, after: Position | None, limit: int, dialect: str = "sqlite"
) -> Select[*tuple[Any, ...]]:
    """Return the statement that ``latest`` executes, with its values."""
    return _latest(_shape_of(criteria, after), dialect).params(**_values(owner_id, criteria, after, limit))


class _Shape(NamedTuple):
    """What decides the statement of a search; the rest are its bound parameters."""

    terms: int
    kind: bool
    categories: bool
    mime_type: bool
    main_type: bool
    since: bool
    until: bool
    resumed: bool


def _shape_of(criteria: SearchFilter, after: Position | None) -> _Shape:
    mime_type = criteria.mime_type
    return _Shape(
        terms=len(criteria.terms),
        kind=criteria.kind is not None,
        categories=bool(criteria.categories),
        mime_type=mime_type is not None and not mime_type.endswith("/"),
        main_type=mime_type is not None and mime_type.endswith("/"),
        since=criteria.since is not None,
        until=criteria.until is not None,
        resumed=after is not None,
    )


def _values(owner_id: str, criteria: SearchFilter, after: Position | None, limit: int) -> dict[str, object]:
    moment, node_id = after or (None, None)
    return {
        **{f"term_{number}": _escaped(term) for number, term in enumerate(criteria.terms)},
        "owner": owner_id,
        "kind": criteria.kind,
        "categories": list(criteria.categories),
        "mime_type": criteria.mime_type,
        "main_type": _escaped(criteria.mime_type or ""),
        "since": criteria.since,
        "until": criteria.until,
        "moment": moment,
        "node_id": node_id,
        "limit": limit,
    }


@lru_cache(maxsize=256)
def _latest_query(shape: _Shape) -> Query[Position]:
    return Query(Position, lambda dialect: _latest(shape, dialect))


def _latest(shape: _Shape, dialect: str) -> Select[*tuple[Any, ...]]:
    columns = (SearchDocument.updated_at, SearchDocument.node_id)
    statement = select(*columns).where(
        SearchDocument.owner_id == bindparam("owner", type_=String), *_conditions(shape, dialect)
    )
    if shape.resumed:
        position = tuple_(bindparam("moment", type_=UtcDateTime()), bindparam("node_id", type_=String))
        statement = statement.where(tuple_(*columns) < position)
    return statement.order_by(*(column.desc() for column in columns)).limit(bindparam("limit", type_=Integer))


def _conditions(shape: _Shape, dialect: str) -> list[ColumnElement[bool]]:
    document, moment = SearchDocument, UtcDateTime()
    terms = (bindparam(f"term_{number}", type_=String) for number in range(shape.terms))
    main_type = bindparam("main_type", type_=String)
    optional = (
        (shape.kind, document.kind == bindparam("kind", type_=String)),
        (shape.categories, one_of(document.category, "categories", dialect)),
        (shape.mime_type, document.mime_type == bindparam("mime_type", type_=String)),
        (shape.main_type, document.mime_type.startswith(main_type, escape=_ESCAPE)),
        (shape.since, document.updated_at >= bindparam("since", type_=moment)),
        (shape.until, document.updated_at < bindparam("until", type_=moment)),
    )
    return [document.text.contains(term, escape=_ESCAPE) for term in terms] + [
        condition for applies, condition in optional if applies
    ]


def _escaped(text: str) -> str:
    """Return ``text`` with what has a meaning in LIKE escaped."""
    return _WILDCARD.sub(rf"{_ESCAPE}\g<0>", text)
