"""Pages of a folder and of the trash, ready to be written as JSON.

A folder shows its folders first, then its files, each in the wanted order. Folders have no size and are shown by name
when the order is by size. A cursor says which order it belongs to and is refused with any other.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from pydantic import JsonValue

from metastore.features.files import list_queries, processing, repository, tree
from metastore.features.files.addresses import NO_URLS, Addresses
from metastore.features.files.list_queries import Position, Span
from metastore.features.files.models import FILE, FOLDER, NodeRow
from metastore.features.files.presentation import folder_json, node_json
from metastore.features.files.schemas import FolderQuery
from metastore.kit.clock import rfc3339
from metastore.kit.database import Transaction
from metastore.kit.ids import is_id
from metastore.kit.paging import CursorKey, decode_cursor, encode_cursor, invalid_cursor
from metastore.kit.problem import Problem

_LARGEST = 2**63 - 1
_DATES = ("createdAt", "updatedAt")


async def folder_page(
    tx: Transaction, owner_id: str, query: FolderQuery, addresses: Addresses | None = None
) -> dict[str, JsonValue]:
    """One page of the folder named by ``path`` or ``parent_id``, of the root without either; see ``FolderListing``.

    Raises:
        Problem: 404 when there is no such folder; 422 ``invalid-cursor`` or ``invalid-path``.
    """
    kind, after = _decode(query) if query.cursor else (FOLDER, None)
    way = (
        await tree.folder_at(tx, owner_id, query.path or tree.ROOT)
        if query.parent_id is None
        else await tree.folder_of(tx, owner_id, query.parent_id)
    )
    folder_id = way[-1].id if way else None
    limit = query.limit
    rows: list[NodeRow] = []
    for shown in (FOLDER, FILE) if kind == FOLDER else (FILE,):
        if len(rows) <= limit:
            span = Span(*_order(query, shown), after, limit + 1 - len(rows))
            rows += await list_queries.nodes_in_folder(tx, owner_id, folder_id, shown, span)
        after = None
    here = tree.path_along(way)
    last = rows[limit - 1] if len(rows) > limit else None
    return {
        "items": [*await _shown(tx, [(row, here) for row in rows[:limit]], addresses)],
        "nextCursor": _encode(last, query) if last else None,
        "folder": folder_json(way[-1], tree.path_along(way[:-1])) if way else None,
        "breadcrumb": [{"id": step.id, "name": step.name} for step in way],
    }


async def trash_page(
    tx: Transaction,
    owner_id: str,
    *,
    limit: int = 50,
    cursor: str | None = None,
    addresses: Addresses | None = None,
) -> dict[str, JsonValue]:
    """One page of the owner's trash, latest first; see ``TrashListing``.

    Raises:
        Problem: 422 ``invalid-cursor``.
    """
    after: Position | None = None
    if cursor:
        moment, node_id = decode_cursor(cursor, 2)
        after = (_moment(moment), _id(node_id))
    rows = await list_queries.trash_roots(tx, owner_id, after=after, limit=limit + 1)
    shown = rows[:limit]
    ways = await repository.way_to(tx, [row.parent_id for row in shown if row.parent_id])
    places = [(row, tree.path_along(ways[row.parent_id]) if row.parent_id else tree.ROOT) for row in shown]
    items: list[JsonValue] = []
    last: CursorKey = []
    for row, item in zip(shown, await _shown(tx, places, addresses), strict=True):
        trashed_at = row.trashed_at
        assert trashed_at is not None  # noqa: S101  a trash root always has it
        items.append({**item, "trashedAt": rfc3339(trashed_at)})
        last = [trashed_at.isoformat(), row.id]
    return {"items": items, "nextCursor": encode_cursor(last) if len(rows) > limit else None}


async def _shown(
    tx: Transaction, rows: Sequence[tuple[NodeRow, str]], addresses: Addresses | None
) -> list[dict[str, JsonValue]]:
    """Nodes, each with the path of its folder, as JSON; what is not ready costs one statement for all."""
    sagas = await processing.sagas_of(tx, [row for row, _ in rows])
    urls = await addresses.of([row for row, _ in rows]) if addresses else {}
    return [
        node_json(row, folder_path, saga=sagas.get(row.id), urls=urls.get(row.id, NO_URLS)) for row, folder_path in rows
    ]


def _order(query: FolderQuery, kind: str) -> tuple[str, bool]:
    """The sort key for nodes of that kind, and whether it runs downwards."""
    if kind == FOLDER and query.sort == "size":
        return "name", False
    return query.sort, query.order == "desc"


def _encode(row: NodeRow, query: FolderQuery) -> str:
    values: dict[str, str | int] = {
        "name": row.name_key,
        "size": row.size,
        "createdAt": row.created_at.isoformat(),
        "updatedAt": row.updated_at.isoformat(),
    }
    return encode_cursor([query.sort, query.order, row.kind, values[_order(query, row.kind)[0]], row.id])


def _decode(query: FolderQuery) -> tuple[str, Position]:
    sort, order, kind, value, node_id = decode_cursor(query.cursor or "", 5)
    if (sort, order) != (query.sort, query.order) or kind not in (FOLDER, FILE):
        raise _invalid_cursor()
    return str(kind), (_sort_value(_order(query, str(kind))[0], value), _id(node_id))


def _sort_value(sort: str, value: str | int | None) -> str | int | datetime:
    if sort in _DATES:
        return _moment(value)
    if sort == "size" and isinstance(value, int) and 0 <= value <= _LARGEST:
        return value
    # PostgreSQL takes no NUL in text.
    if sort == "name" and isinstance(value, str) and "\0" not in value:
        return value
    raise _invalid_cursor()


def _moment(value: str | int | None) -> datetime:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise _invalid_cursor() from None
    if moment.utcoffset() != timedelta(0):
        raise _invalid_cursor()
    return moment


def _id(value: str | int | None) -> str:
    if not isinstance(value, str) or not is_id(value):
        raise _invalid_cursor()
    return value


def _invalid_cursor() -> Problem:
    return invalid_cursor()
