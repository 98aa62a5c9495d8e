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
from metastore.features.files.representation.node_urls import NO_URLS, ResolvesNodeUrls
from metastore.features.files.representation.serialization import folder_json, node_json
from metastore.features.files.schemas import FolderQuery
from metastore.features.files.tree.access import FolderAccess
from metastore.features.files.tree.paths import ROOT, path_of
from metastore.kit.api.paging import CursorKey, decode_cursor, encode_cursor, invalid_cursor
from metastore.kit.clock import rfc3339
from metastore.kit.database.unit_of_work import Transaction
from metastore.kit.ids import is_id

_MAX_SIZE = 2**63 - 1
_DATES = ("createdAt", "updatedAt")


async def folder_page(
    tx: Transaction, access: FolderAccess, query: FolderQuery, urls: ResolvesNodeUrls | None = None
) -> dict[str, JsonValue]:
    """Return a page of a folder or of the root; see ``FolderListing``. The order and the cursor are those of ``query``.

    Raises:
        Problem: 422 ``invalid-cursor``.
    """
    first_kind, after = _decode(query) if query.cursor else (FOLDER, None)
    limit = query.limit
    ranges = {first_kind: PageRange(*_order(query, first_kind), after, limit + 1)}
    if first_kind == FOLDER:
        ranges[FILE] = PageRange(*_order(query, FILE), None, limit + 1)
    rows = await nodes_in_folder(tx, access.owner_id, access.folder_id, ranges)
    last = rows[limit - 1] if len(rows) > limit else None
    return {
        "items": [*await _items(tx, [(row, access.path) for row in rows[:limit]], urls)],
        "nextCursor": _encode(last, query) if last else None,
        "folder": folder_json(access.chain[-1], path_of(access.chain[:-1])) if access.chain else None,
        "breadcrumb": [{"id": folder.id, "name": folder.name} for folder in access.chain],
    }


async def trash_page(
    tx: Transaction,
    access: FolderAccess,
    *,
    limit: int = 50,
    cursor: str | None = None,
    urls: ResolvesNodeUrls | None = None,
) -> dict[str, JsonValue]:
    """Return a page of the trash of a tree, given by its root, latest first; see ``TrashListing``.

    Raises:
        Problem: 422 ``invalid-cursor``.
    """
    after: Position | None = None
    if cursor:
        trashed_at, node_id = decode_cursor(cursor, 2)
        after = (_datetime(trashed_at), _id(node_id))
    rows = await trash_roots(tx, access.owner_id, after=after, limit=limit + 1)
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
    tx: Transaction, rows: Sequence[tuple[NodeRow, str]], urls: ResolvesNodeUrls | None
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
