"""SQL statements for pages of a folder and of the trash. Each reads one range of one index for each kind of node.

Queries are kept per combination of options: building one takes longer than running it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from operator import attrgetter
from typing import Any

from sqlalchemy import Integer, Select, String, bindparam, select, tuple_, union_all
from sqlalchemy.orm import InstrumentedAttribute

from metastore.features.files.models import LISTED_COLUMNS, Node, NodeRow
from metastore.features.files.repository import FOLDER_KEY, IS_KEPT
from metastore.kit.database.query import Query
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
    tx: Transaction, owner_id: str, folder_id: str | None, ranges: Mapping[str, PageRange]
) -> list[NodeRow]:
    """Return nodes in a folder (``None``: the root), by kind in the order of ``ranges``, in one statement."""
    query = _folder_query(
        tuple((kind, page.sort, page.descending, page.after is not None) for kind, page in ranges.items())
    )
    values: dict[str, object] = {"owner": owner_id, "folder": folder_id or ""}
    for kind, page in ranges.items():
        key, last_id = page.after or (None, None)
        values |= {f"{kind}_kind": kind, f"{kind}_limit": page.limit, f"{kind}_key": key, f"{kind}_id": last_id}
    found = await tx.fetch(query, **values)
    return [row for kind, page in ranges.items() for row in _sorted(found, kind, page)]


def _sorted(rows: Iterable[NodeRow], kind: str, page: PageRange) -> list[NodeRow]:
    """Return the rows of one kind in the order of their range, which the union of several does not promise to keep."""
    key = attrgetter(_SORT_COLUMNS[page.sort].key, "id")
    return sorted((row for row in rows if row.kind == kind), key=key, reverse=page.descending)


async def trash_roots(tx: Transaction, owner_id: str, *, after: Position | None, limit: int) -> list[NodeRow]:
    """Return the owner's trash roots, latest first."""
    key, last_id = after or (None, None)
    query = _trash_query(resumed=after is not None)
    return await tx.fetch(query, owner=owner_id, key=key, id=last_id, limit=limit)


@cache
def _folder_query(ranges: tuple[tuple[str, str, bool, bool], ...]) -> Query[NodeRow]:
    """Return the query for the nodes of some kinds; each with its sort key, direction, and whether it is resumed."""
    parts = [
        folder_statement(sort, descending=descending, resumed=resumed, prefix=f"{kind}_").subquery()
        for kind, sort, descending, resumed in ranges
    ]
    return Query(NodeRow, union_all(*(select(part) for part in parts)))


@cache
def _trash_query(*, resumed: bool) -> Query[NodeRow]:
    return Query(NodeRow, trash_statement(resumed=resumed))


def folder_statement(sort: str, *, descending: bool, resumed: bool, prefix: str = "") -> Nodes:
    """Return the statement that lists nodes of one kind in a folder, from its start or ``resumed`` after a position.

    Parameters: ``owner``, ``folder`` (empty for the root), and with ``prefix`` before their names ``kind``, ``limit``;
    if resumed also ``key`` and ``id``.
    """
    statement = select(*LISTED_COLUMNS).where(
        Node.owner_id == bindparam("owner", type_=String),
        bindparam("folder", type_=String) == FOLDER_KEY,
        Node.kind == bindparam(f"{prefix}kind", type_=String),
        Node.trashed_at.is_(None),
    )
    return _page(statement, _SORT_COLUMNS[sort], descending=descending, resumed=resumed, prefix=prefix)


def trash_statement(*, resumed: bool) -> Nodes:
    """Return the statement that lists an owner's trash; parameters as in ``folder_statement``."""
    statement = select(*LISTED_COLUMNS).where(Node.owner_id == bindparam("owner", type_=String), IS_KEPT)
    return _page(statement, Node.trashed_at, descending=True, resumed=resumed)


def _page(
    statement: Nodes, key: InstrumentedAttribute[Any], *, descending: bool, resumed: bool, prefix: str = ""
) -> Nodes:
    if resumed:
        position = tuple_(key, Node.id)
        after = tuple_(bindparam(f"{prefix}key", type_=key.type), bindparam(f"{prefix}id", type_=String))
        statement = statement.where(position < after if descending else position > after)
    ordering = (key.desc(), Node.id.desc()) if descending else (key.asc(), Node.id.asc())
    return statement.order_by(*ordering).limit(bindparam(f"{prefix}limit", type_=Integer))
