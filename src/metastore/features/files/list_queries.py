"""SQL statements that read lists: each is one range of one index.

They are built once for each shape, since building one takes longer than the database takes to answer it.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Integer, Select, String, bindparam, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from metastore.features.files.models import SHOWN_COLUMNS, Node, NodeRow
from metastore.features.files.repository import FOLDER_KEY, IS_KEPT
from metastore.kit.database import Transaction

Nodes = Select[*tuple[Any, ...]]
"""A statement that reads ``SHOWN_COLUMNS``."""
Position = tuple[str | int | datetime, str]
"""The sort key and the id of the last node shown."""

_SORT_COLUMNS: dict[str, InstrumentedAttribute[Any]] = {
    "name": Node.name_key,
    "size": Node.size,
    "createdAt": Node.created_at,
    "updatedAt": Node.updated_at,
}


@dataclass(frozen=True, slots=True)
class Span:
    """A run of nodes in one order: ``limit`` of them, from the one after ``after``."""

    sort: str
    descending: bool
    after: Position | None
    limit: int


async def nodes_in_folder(
    tx: Transaction, owner_id: str, folder_id: str | None, kind: str, span: Span
) -> list[NodeRow]:
    """Nodes of one kind in a folder (``None``: the root)."""
    statement = folder_range(span.sort, descending=span.descending, deep=span.after is not None)
    values = {"owner": owner_id, "folder": folder_id or "", "kind": kind}
    return await _rows(tx, statement, values, span.after, span.limit)


async def trash_roots(tx: Transaction, owner_id: str, *, after: Position | None, limit: int) -> list[NodeRow]:
    """Trash roots of an owner, latest first."""
    return await _rows(tx, trash_range(deep=after is not None), {"owner": owner_id}, after, limit)


@cache
def folder_range(sort: str, *, descending: bool, deep: bool) -> Nodes:
    """The statement for a folder in that order, from its start or ``deep`` in it.

    Parameters: ``owner``, ``folder`` (empty for the root), ``kind``, ``limit``; deep down also ``key`` and ``id``.
    """
    statement = select(*SHOWN_COLUMNS).where(
        Node.owner_id == bindparam("owner", type_=String),
        bindparam("folder", type_=String) == FOLDER_KEY,
        Node.kind == bindparam("kind", type_=String),
        Node.trashed_at.is_(None),
    )
    return _range(statement, _SORT_COLUMNS[sort], descending=descending, deep=deep)


@cache
def trash_range(*, deep: bool) -> Nodes:
    """The statement for the trash of an owner; parameters as for folders."""
    statement = select(*SHOWN_COLUMNS).where(Node.owner_id == bindparam("owner", type_=String), IS_KEPT)
    return _range(statement, Node.trashed_at, descending=True, deep=deep)


def _range(statement: Nodes, key: InstrumentedAttribute[Any], *, descending: bool, deep: bool) -> Nodes:
    if deep:
        here = tuple_(key, Node.id)
        there = tuple_(bindparam("key", type_=key.type), bindparam("id", type_=String))
        statement = statement.where(here < there if descending else here > there)
    ordering = (key.desc(), Node.id.desc()) if descending else (key.asc(), Node.id.asc())
    return statement.order_by(*ordering).limit(bindparam("limit", type_=Integer))


async def _rows(
    tx: Transaction, statement: Nodes, values: dict[str, str], after: Position | None, limit: int
) -> list[NodeRow]:
    key, last_id = after or (None, None)
    found = await tx.session.execute(statement, {**values, "key": key, "id": last_id, "limit": limit})
    return [NodeRow._make(row) for row in found]
