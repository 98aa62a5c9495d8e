"""SQL statements for pages of a folder and of the trash. Each reads one range of one index.

Statements are cached per combination of options: building one takes longer than running it.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Integer, Select, String, bindparam, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from metastore.features.files.models import LISTED_COLUMNS, Node, NodeRow
from metastore.features.files.repository import FOLDER_KEY, IS_KEPT
from metastore.kit.database.unit_of_work import Transaction

Nodes = Select[*tuple[Any, ...]]
"""A statement that selects ``LISTED_COLUMNS``."""
Position = tuple[str | int | datetime, str]
"""The sort key and the ID of the last node of the previous page."""

_SORT_COLUMNS: dict[str, InstrumentedAttribute[Any]] = {
    "name": Node.name_key,
    "size": Node.size,
    "createdAt": Node.created_at,
    "updatedAt": Node.updated_at,
}


@dataclass(frozen=True, slots=True)
class PageRange:
    """The part of a sorted list that is read: up to ``limit`` nodes that follow ``after``."""

    sort: str
    descending: bool
    after: Position | None
    limit: int


async def nodes_in_folder(
    tx: Transaction, owner_id: str, folder_id: str | None, kind: str, page: PageRange
) -> list[NodeRow]:
    """Return nodes of one kind in a folder (``None``: the root)."""
    statement = folder_statement(page.sort, descending=page.descending, resumed=page.after is not None)
    values = {"owner": owner_id, "folder": folder_id or "", "kind": kind}
    return await _rows(tx, statement, values, page.after, page.limit)


async def trash_roots(tx: Transaction, owner_id: str, *, after: Position | None, limit: int) -> list[NodeRow]:
    """Return the owner's trash roots, latest first."""
    return await _rows(tx, trash_statement(resumed=after is not None), {"owner": owner_id}, after, limit)


@cache
def folder_statement(sort: str, *, descending: bool, resumed: bool) -> Nodes:
    """Return the statement that lists a folder, from its start or ``resumed`` after a position.

    Parameters: ``owner``, ``folder`` (empty for the root), ``kind``, ``limit``; if resumed also ``key`` and ``id``.
    """
    statement = select(*LISTED_COLUMNS).where(
        Node.owner_id == bindparam("owner", type_=String),
        bindparam("folder", type_=String) == FOLDER_KEY,
        Node.kind == bindparam("kind", type_=String),
        Node.trashed_at.is_(None),
    )
    return _page(statement, _SORT_COLUMNS[sort], descending=descending, resumed=resumed)


@cache
def trash_statement(*, resumed: bool) -> Nodes:
    """Return the statement that lists an owner's trash; parameters as in ``folder_statement``."""
    statement = select(*LISTED_COLUMNS).where(Node.owner_id == bindparam("owner", type_=String), IS_KEPT)
    return _page(statement, Node.trashed_at, descending=True, resumed=resumed)


def _page(statement: Nodes, key: InstrumentedAttribute[Any], *, descending: bool, resumed: bool) -> Nodes:
    if resumed:
        position = tuple_(key, Node.id)
        after = tuple_(bindparam("key", type_=key.type), bindparam("id", type_=String))
        statement = statement.where(position < after if descending else position > after)
    ordering = (key.desc(), Node.id.desc()) if descending else (key.asc(), Node.id.asc())
    return statement.order_by(*ordering).limit(bindparam("limit", type_=Integer))


async def _rows(
    tx: Transaction, statement: Nodes, values: dict[str, str], after: Position | None, limit: int
) -> list[NodeRow]:
    key, last_id = after or (None, None)
    found = await tx.session.execute(statement, {**values, "key": key, "id": last_id, "limit": limit})
    return [NodeRow._make(row) for row in found]
