"""Every SQL statement on the search index."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, TypedDict

from sqlalchemy import ColumnElement, Select, delete, func, literal, select, tuple_
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from metastore.features.search.models import SearchDocument
from metastore.kit.database import Transaction
from metastore.kit.tables import UtcDateTime

_AT_ONCE = 500
"""Rows a statement; either database bounds the number of parameters."""


class Entry(TypedDict):
    """A row of the index."""

    node_id: str
    owner_id: str
    kind: str
    family: str
    mime_type: str
    text: str
    updated_at: datetime


class Position(NamedTuple):
    """Where a document stands in its owner's order."""

    updated_at: datetime
    node_id: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What documents are looked for: all of ``terms`` in the text, of that kind, families or media type."""

    terms: Sequence[str] = ()
    kind: str | None = None
    families: Sequence[str] = ()
    mime_type: str | None = None
    """In full, or up to and with the slash."""
    since: datetime | None = None
    until: datetime | None = None


async def lock(tx: Transaction, owner_id: str) -> None:
    """Let nobody else change this owner's documents until the transaction ends. On SQLite the writer is alone."""
    if tx.dialect != "sqlite":
        key = func.hashtextextended(f"search {owner_id}", 0)
        await tx.session.execute(select(func.pg_advisory_xact_lock(key)))


async def save(tx: Transaction, entries: Sequence[Entry]) -> None:
    """Put documents into the index, in the place of what it had of the same nodes."""
    insert = sqlite_insert if tx.dialect == "sqlite" else postgresql_insert
    for start in range(0, len(entries), _AT_ONCE):
        statement = insert(SearchDocument).values(list(entries[start : start + _AT_ONCE]))
        changed = {name: statement.excluded[name] for name in Entry.__annotations__ if name != "node_id"}
        await tx.session.execute(statement.on_conflict_do_update(index_elements=["node_id"], set_=changed))


async def remove(tx: Transaction, node_ids: Sequence[str]) -> None:
    """Take documents out of the index."""
    for start in range(0, len(node_ids), _AT_ONCE):
        chosen = SearchDocument.node_id.in_(node_ids[start : start + _AT_ONCE])
        await tx.session.execute(delete(SearchDocument).where(chosen))


async def latest(tx: Transaction, owner_id: str, wanted: Wanted, after: Position | None, limit: int) -> list[Position]:
    """Where the owner's documents stand that match, latest change first."""
    found = await tx.session.execute(latest_statement(owner_id, wanted, after, limit))
    return [Position(*row) for row in found]


def latest_statement(
    owner_id: str, wanted: Wanted, after: Position | None, limit: int
) -> Select[*tuple[datetime, str]]:
    """The statement of ``latest``."""
    here = (SearchDocument.updated_at, SearchDocument.node_id)
    statement = select(*here).where(SearchDocument.owner_id == owner_id, *_conditions(wanted))
    if after is not None:
        position = tuple_(literal(after.updated_at, UtcDateTime()), literal(after.node_id))
        statement = statement.where(tuple_(*here) < position)
    return statement.order_by(*(column.desc() for column in here)).limit(limit)


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [
        SearchDocument.text.contains(term, autoescape=True) for term in wanted.terms
    ]
    if wanted.kind is not None:
        conditions.append(SearchDocument.kind == wanted.kind)
    if wanted.families:
        conditions.append(SearchDocument.family.in_(wanted.families))
    if wanted.mime_type is not None:
        whole = not wanted.mime_type.endswith("/")
        mime_type = SearchDocument.mime_type
        conditions.append(
            mime_type == wanted.mime_type if whole else mime_type.startswith(wanted.mime_type, autoescape=True)
        )
    if wanted.since is not None:
        conditions.append(SearchDocument.updated_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(SearchDocument.updated_at < wanted.until)
    return conditions
