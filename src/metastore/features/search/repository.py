"""SQL statements on the search index."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, TypedDict

from sqlalchemy import ColumnElement, Select, delete, func, literal, select, tuple_
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from metastore.features.search.models import SearchDocument
from metastore.kit.database.tables import UtcDateTime
from metastore.kit.database.unit_of_work import Transaction

_BATCH_SIZE = 500
"""Rows per statement; both databases limit the number of parameters."""


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


async def save(tx: Transaction, entries: Sequence[Entry]) -> None:
    """Insert documents, replacing those of the same nodes."""
    insert = sqlite_insert if tx.dialect == "sqlite" else postgresql_insert
    for start in range(0, len(entries), _BATCH_SIZE):
        statement = insert(SearchDocument).values(list(entries[start : start + _BATCH_SIZE]))
        updated = {name: statement.excluded[name] for name in Entry.__annotations__ if name != "node_id"}
        await tx.session.execute(statement.on_conflict_do_update(index_elements=["node_id"], set_=updated))


async def remove(tx: Transaction, node_ids: Sequence[str]) -> None:
    """Delete the documents of these nodes."""
    for start in range(0, len(node_ids), _BATCH_SIZE):
        batch = SearchDocument.node_id.in_(node_ids[start : start + _BATCH_SIZE])
        await tx.session.execute(delete(SearchDocument).where(batch))


async def latest(
    tx: Transaction, owner_id: str, criteria: SearchFilter, after: Position | None, limit: int
) -> list[Position]:
    """Return the positions of the owner's matching documents, latest change first."""
    found = await tx.session.execute(latest_statement(owner_id, criteria, after, limit))
    return [Position(*row) for row in found]


def latest_statement(
    owner_id: str, criteria: SearchFilter, after: Position | None, limit: int
) -> Select[*tuple[datetime, str]]:
    """Return the statement that ``latest`` executes."""
    columns = (SearchDocument.updated_at, SearchDocument.node_id)
    statement = select(*columns).where(SearchDocument.owner_id == owner_id, *_conditions(criteria))
    if after is not None:
        position = tuple_(literal(after.updated_at, UtcDateTime()), literal(after.node_id))
        statement = statement.where(tuple_(*columns) < position)
    return statement.order_by(*(column.desc() for column in columns)).limit(limit)


def _conditions(criteria: SearchFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [
        SearchDocument.text.contains(term, autoescape=True) for term in criteria.terms
    ]
    if criteria.kind is not None:
        conditions.append(SearchDocument.kind == criteria.kind)
    if criteria.categories:
        conditions.append(SearchDocument.category.in_(criteria.categories))
    if criteria.mime_type is not None:
        complete = not criteria.mime_type.endswith("/")
        mime_type = SearchDocument.mime_type
        conditions.append(
            mime_type == criteria.mime_type if complete else mime_type.startswith(criteria.mime_type, autoescape=True)
        )
    if criteria.since is not None:
        conditions.append(SearchDocument.updated_at >= criteria.since)
    if criteria.until is not None:
        conditions.append(SearchDocument.updated_at < criteria.until)
    return conditions
