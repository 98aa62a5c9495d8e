"""Pages of a folder and of the trash, as JSON.

A folder lists its subfolders first, then its files, each in the requested order. Folders have no size; when sorting by
size, they are listed by name. A cursor holds the order it belongs to and is invalid with any other.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from pydantic import JsonValue

from metastore.features.files import repository
from metastore.features.files.content.processing import sagas_of
from metastore.features.files.listing.page_queries import PageRange, Position, nodes_in_folder, trash_roots
from metastore.features.files.models import FILE, FOLDER, NodeRow
from metastore.features.files.representation.node_urls import NO_URLS, NodeUrlResolver
from metastore.features.files.representation.serialization import folder_json, node_json
from metastore.features.files.schemas import FolderQuery
from metastore.features.files.tree.paths import ROOT, folder_by_id, folder_by_path, path_of
from metastore.kit.api.paging import CursorKey, decode_cursor, encode_cursor, invalid_cursor
from metastore.kit.clock import rfc3339
from metastore.kit.database.unit_of_work import Transaction
from metastore.kit.ids import is_id

_MAX_SIZE = 2**63 - 1
_DATES = ("createdAt", "updatedAt")


async def folder_page(
    tx: Transaction, owner_id: str, query: FolderQuery, urls: NodeUrlResolver | None = None
) -> dict[str, JsonValue]:
    """Return a page of the folder given by ``path`` or ``parent_id``, or of the root; see ``FolderListing``.

    Raises:
        Problem: 404 if there is no such folder; 422 ``invalid-cursor`` or ``invalid-path``.
    """
    first_kind, after = _decode(query) if query.cursor else (FOLDER, None)
    ancestors = (
        await folder_by_path(tx, owner_id, query.path or ROOT)
        if query.parent_id is None
        else await folder_by_id(tx, owner_id, query.parent_id)
    )
    folder_id = ancestors[-1].id if ancestors else None
    limit = query.limit
    ranges = {first_kind: PageRange(*_order(query, first_kind), after, limit + 1)}
    if first_kind == FOLDER:
        ranges[FILE] = PageRange(*_order(query, FILE), None, limit + 1)
    rows = await nodes_in_folder(tx, owner_id, folder_id, ranges)
    folder_path = path_of(ancestors)
    last = rows[limit - 1] if len(rows) > limit else None
    return {
        "items": [*await _items(tx, [(row, folder_path) for row in rows[:limit]], urls)],
        "nextCursor": _encode(last, query) if last else None,
        "folder": folder_json(ancestors[-1], path_of(ancestors[:-1])) if ancestors else None,
        "breadcrumb": [{"id": ancestor.id, "name": ancestor.name} for ancestor in ancestors],
    }


async def trash_page(
    tx: Transaction,
    owner_id: str,
    *,
    limit: int = 50,
    cursor: str | None = None,
    urls: NodeUrlResolver | None = None,
) -> dict[str, JsonValue]:
    """Return a page of the owner's trash, latest first; see ``TrashListing``.

    Raises:
        Problem: 422 ``invalid-cursor``.
    """
    after: Position | None = None
    if cursor:
        trashed_at, node_id = decode_cursor(cursor, 2)
        after = (_datetime(trashed_at), _id(node_id))
    rows = await trash_roots(tx, owner_id, after=after, limit=limit + 1)
    page = rows[:limit]
    ancestors = await repository.ancestors_of(tx, [row.parent_id for row in page if row.parent_id])
    with_paths = [(row, path_of(ancestors[row.parent_id]) if row.parent_id else ROOT) for row in page]
    items: list[JsonValue] = []
    last: CursorKey = []
    for row, item in zip(page, await _items(tx, with_paths, urls), strict=True):
        assert row.trashed_at is not None  # noqa: S101  every trash root has it
        items.append({**item, "trashedAt": rfc3339(row.trashed_at)})
        last = [row.trashed_at.isoformat(), row.id]
    return {"items": items, "nextCursor": encode_cursor(last) if len(rows) > limit else None}


async def _items(
    tx: Transaction, rows: Sequence[tuple[NodeRow, str]], urls: NodeUrlResolver | None
) -> list[dict[str, JsonValue]]:
    """Return nodes, given with the paths of their folders, as JSON. One statement loads all sagas that are needed."""
    sagas = await sagas_of(tx, [row for row, _ in rows])
    found = await urls.resolve([row for row, _ in rows]) if urls else {}
    return [
        node_json(row, folder_path, saga=sagas.get(row.id), urls=found.get(row.id, NO_URLS))
        for row, folder_path in rows
    ]


def _order(query: FolderQuery, kind: str) -> tuple[str, bool]:
    """Return the sort key for nodes of that kind and whether the order is descending."""
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
        raise invalid_cursor()
    return str(kind), (_sort_value(_order(query, str(kind))[0], value), _id(node_id))


def _sort_value(sort: str, value: str | int | None) -> str | int | datetime:
    if sort in _DATES:
        return _datetime(value)
    if sort == "size" and isinstance(value, int) and 0 <= value <= _MAX_SIZE:
        return value
    # PostgreSQL rejects NUL in text.
    if sort == "name" and isinstance(value, str) and "\0" not in value:
        return value
    raise invalid_cursor()


def _datetime(value: str | int | None) -> datetime:
    try:
        parsed = datetime.fromisoformat(str(value))
    except ValueError:
        raise invalid_cursor() from None
    if parsed.utcoffset() != timedelta(0):
        raise invalid_cursor()
    return parsed


def _id(value: str | int | None) -> str:
    if not isinstance(value, str) or not is_id(value):
        raise invalid_cursor()
    return value
