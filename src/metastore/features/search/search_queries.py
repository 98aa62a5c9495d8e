"""SQL statements that search: an owner's documents that match, latest change first.

Both databases have an index of the documents' keys (see ``index_keys``), which holds few more documents than match.

**SQLite**: the index lists the documents of each key, latest first, and the lists are read side by side until the page
is full.

**PostgreSQL**: the index has no order: it returns all candidates, which have to be sorted. So the owner's latest
``_WINDOW`` documents are read first, which is enough for terms that are common; only if it is not, the index is used.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    String,
    Text,
    bindparam,
    column,
    exists,
    func,
    literal_column,
    select,
    table,
    union_all,
)

from metastore.features.search.index_keys import category_label, key_of, kind_label, mime_type_label, term_keys
from metastore.features.search.models import SearchDocument
from metastore.features.search.positions import FIRST, LAST
from metastore.kit.database.query import Query, one_of
from metastore.kit.database.tables import table_of
from metastore.kit.database.unit_of_work import Transaction

_T = table_of(SearchDocument)
_WINDOW = 5000
_ESCAPE = "/"
_WILDCARD = re.compile(r"[/%_]")


class Hit(NamedTuple):
    """A document that matches, and its place in its owner's list."""

    position: int
    node_id: str


@dataclass(frozen=True, slots=True)
class SearchFilter:
    """The conditions that documents must meet: all ``terms`` in the text, and the kind, categories and media type."""

    terms: Sequence[str] = ()
    kind: str | None = None
    categories: Sequence[str] = ()
    mime_type: str | None = None
    """Either complete or only the main type with its slash, such as ``image/``."""
    oldest: int = FIRST
    """The smallest position, inclusive."""
    newest: int = LAST
    """The largest position, inclusive."""


async def latest(tx: Transaction, owner_id: str, criteria: SearchFilter, limit: int) -> list[Hit]:
    """Return the owner's matching documents, latest change first."""
    return await tx.fetch(_query(_shape_of(criteria)), **_values(owner_id, criteria, limit, tx.dialect))


def latest_statement(owner_id: str, criteria: SearchFilter, limit: int, dialect: str) -> Select[*tuple[Any, ...]]:
    """Return the statement that ``latest`` executes, with its values."""
    return _latest(_shape_of(criteria), dialect).params(**_values(owner_id, criteria, limit, dialect))


class _Shape(NamedTuple):
    """What decides the statement of a search; the rest are its bound parameters."""

    terms: int
    kind: bool
    categories: bool
    mime_type: bool
    main_type: bool


def _shape_of(criteria: SearchFilter) -> _Shape:
    mime_type = criteria.mime_type
    return _Shape(
        terms=len(criteria.terms),
        kind=criteria.kind is not None,
        categories=bool(criteria.categories),
        mime_type=mime_type is not None and not mime_type.endswith("/"),
        main_type=mime_type is not None and mime_type.endswith("/"),
    )


def _values(owner_id: str, criteria: SearchFilter, limit: int, dialect: str) -> dict[str, object]:
    required = term_keys(owner_id, criteria.terms)
    if criteria.kind is not None:
        required.append(key_of(owner_id, kind_label(criteria.kind)))
    if criteria.mime_type is not None:
        required.append(key_of(owner_id, mime_type_label(criteria.mime_type)))
    categories = [key_of(owner_id, category_label(category)) for category in criteria.categories]
    return {
        **{f"term_{number}": _escaped(term) for number, term in enumerate(criteria.terms)},
        **({"match": _match(required, categories)} if dialect == "sqlite" else {}),
        "keys": required,
        "category_keys": categories,
        "owner": owner_id,
        "kind": criteria.kind,
        "categories": list(criteria.categories),
        "mime_type": criteria.mime_type,
        "main_type": _escaped(criteria.mime_type or ""),
        "oldest": criteria.oldest,
        "newest": criteria.newest,
        "limit": limit,
    }


def _match(required: Sequence[str], categories: Sequence[str]) -> str:
    """Return the search for these keys in the language of FTS5."""
    return " AND ".join([*required, *([f"({' OR '.join(categories)})"] if categories else [])])


@lru_cache(maxsize=256)
def _query(shape: _Shape) -> Query[Hit]:
    return Query(Hit, lambda dialect: _latest(shape, dialect))


def _latest(shape: _Shape, dialect: str) -> Select[*tuple[Any, ...]]:
    if not any(shape):
        return _ordered(select(_T.c.position, _T.c.node_id).where(*_in_range()), _T.c.position)
    return _latest_on_sqlite(shape) if dialect == "sqlite" else _latest_on_postgresql(shape)


def _latest_on_sqlite(shape: _Shape) -> Select[*tuple[Any, ...]]:
    keys = table("search_keys", column("rowid", BigInteger))
    matches = literal_column("search_keys").op("MATCH")(bindparam("match", type_=String))
    place = keys.c.rowid.between(-_bound("newest"), -_bound("oldest"))
    found = keys.join(_T, (_T.c.owner_id == _owner()) & (_T.c.position == -keys.c.rowid))
    statement = select(_T.c.position, _T.c.node_id).select_from(found)
    statement = statement.where(matches, place, *_conditions(shape, _T, "sqlite"))
    return statement.order_by(keys.c.rowid).limit(_limit())


def _latest_on_postgresql(shape: _Shape) -> Select[*tuple[Any, ...]]:
    window = bindparam("window", _WINDOW, type_=Integer)
    in_order = select(_T).where(*_in_range()).order_by(_T.c.position.desc())
    recent = in_order.limit(window).subquery("recent")
    first = select(recent.c.position, recent.c.node_id).where(*_conditions(shape, recent, "postgresql"))
    hits = _ordered(first, recent.c.position).cte("hits").prefix_with("MATERIALIZED")
    edge = in_order.with_only_columns(_T.c.position).offset(window - 1).limit(1).cte("edge").prefix_with("MATERIALIZED")
    # Expressions instead of columns, so that no other index is used than that of the keys, which the owner is part of.
    position, owner = _T.c.position + literal_column("0"), _T.c.owner_id.concat(literal_column("''"))
    older = select(_T.c.position, _T.c.node_id).where(
        # In this order, so that nothing is executed that is not needed.
        select(func.count()).select_from(hits).scalar_subquery() < _limit(),
        exists().select_from(edge),
        position < select(edge.c.position).scalar_subquery(),
        position >= _bound("oldest"),
        *_has_keys(shape),
        owner == _owner(),
        *_conditions(shape, _T, "postgresql"),
    )
    found = union_all(select(hits), select(older.cte("older").prefix_with("MATERIALIZED"))).subquery()
    return _ordered(select(found.c.position, found.c.node_id), found.c.position)


def _has_keys(shape: _Shape) -> list[ColumnElement[bool]]:
    keys = func.string_to_array(_T.c.index_keys, literal_column("' '"), type_=ARRAY(Text))
    found: list[ColumnElement[bool]] = []
    if shape.categories:
        found.append(keys.op("&&")(bindparam("category_keys", type_=ARRAY(Text))))
    if shape.terms or shape.kind or shape.mime_type or shape.main_type:
        found.append(keys.op("@>")(bindparam("keys", type_=ARRAY(Text))))
    return found


def _in_range() -> tuple[ColumnElement[bool], ...]:
    return _T.c.owner_id == _owner(), _T.c.position.between(_bound("oldest"), _bound("newest"))


def _ordered(statement: Select[*tuple[Any, ...]], position: ColumnElement[int]) -> Select[*tuple[Any, ...]]:
    return statement.order_by(position.desc()).limit(_limit())


def _conditions(shape: _Shape, rows: FromClause, dialect: str) -> list[ColumnElement[bool]]:
    terms = (bindparam(f"term_{number}", type_=String) for number in range(shape.terms))
    main_type = bindparam("main_type", type_=String)
    optional = (
        (shape.kind, rows.c.kind == bindparam("kind", type_=String)),
        (shape.categories, one_of(rows.c.category, "categories", dialect)),
        (shape.mime_type, rows.c.mime_type == bindparam("mime_type", type_=String)),
        (shape.main_type, rows.c.mime_type.startswith(main_type, escape=_ESCAPE)),
    )
    return [rows.c.text.contains(term, escape=_ESCAPE) for term in terms] + [
        condition for applies, condition in optional if applies
    ]


def _owner() -> ColumnElement[str]:
    return bindparam("owner", type_=String)


def _bound(name: str) -> ColumnElement[int]:
    return bindparam(name, type_=BigInteger)


def _limit() -> ColumnElement[int]:
    return bindparam("limit", type_=Integer)


def _escaped(text: str) -> str:
    """Return ``text`` with what has a meaning in LIKE escaped."""
    return _WILDCARD.sub(rf"{_ESCAPE}\g<0>", text)
