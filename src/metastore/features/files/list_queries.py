"""SQL statements that read lists: each is one range of one index."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, String, literal, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from metastore.features.files.models import SHOWN_COLUMNS, Node, NodeRow
from metastore.features.files.repository import FOLDER_KEY, IS_KEPT
from metastore.kit.database import Transaction

Nodes = Select[*tuple[Any, ...]]
"""A statement that reads ``SHOWN_COLUMNS``."""
Position = tuple[str | int | datetime, str]
"""The sort key and the id of the last node shown."""

TRASHED_AT = "trashedAt"

_SORT_COLUMNS: dict[str, InstrumentedAttribute[Any]] = {
    "name": Node.name_key,
    "size": Node.size,
    "createdAt": Node.created_at,
    "updatedAt": Node.updated_at,
    TRASHED_AT: Node.trashed_at,
}


@dataclass(frozen=True, slots=True)
class Span:
    """A run of nodes in one order: ``limit`` of them, from the one after ``after``."""

    sort: str
    descending: bool
    after: Position | None
    limit: int


def folder_range(owner_id: str, folder_id: str | None, kind: str, span: Span) -> Nodes:
    """The statement for nodes of one kind in a folder (``None``: the root)."""
    statement = select(*SHOWN_COLUMNS).where(
        Node.owner_id == owner_id,
        literal(folder_id or "", String) == FOLDER_KEY,
        Node.kind == kind,
        Node.trashed_at.is_(None),
    )
    return _range(statement, span)


async def nodes_in_folder(
    tx: Transaction, owner_id: str, folder_id: str | None, kind: str, span: Span
) -> list[NodeRow]:
    """See ``folder_range``."""
    return await _rows(tx, folder_range(owner_id, folder_id, kind, span))


def trash_range(owner_id: str, *, after: Position | None, limit: int) -> Nodes:
    """The statement for the next trash roots of an owner, latest first."""
    statement = select(*SHOWN_COLUMNS).where(Node.owner_id == owner_id, IS_KEPT)
    return _range(statement, Span(TRASHED_AT, descending=True, after=after, limit=limit))


async def trash_roots(tx: Transaction, owner_id: str, *, after: Position | None, limit: int) -> list[NodeRow]:
    """See ``trash_range``."""
    return await _rows(tx, trash_range(owner_id, after=after, limit=limit))


def _range(statement: Nodes, span: Span) -> Nodes:
    key = _SORT_COLUMNS[span.sort]
    if span.after is not None:
        here = tuple_(key, Node.id)
        there = tuple_(literal(span.after[0], key.type), literal(span.after[1], String))
        statement = statement.where(here < there if span.descending else here > there)
    ordering = (key.desc(), Node.id.desc()) if span.descending else (key.asc(), Node.id.asc())
    return statement.order_by(*ordering).limit(span.limit)


async def _rows(tx: Transaction, statement: Nodes) -> list[NodeRow]:
    return [NodeRow._make(row) for row in await tx.session.execute(statement)]
