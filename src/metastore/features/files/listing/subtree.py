"""Everything below some nodes, for features that read whole trees: first the folders, then the files in pages.

A page is named by a ``FilePage``, so that it can be read again later. The first reading of a tree happens on one
snapshot (``begin_snapshot``): otherwise a file that is moved meanwhile could be read twice or not at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Integer, String, Text, and_, bindparam, literal_column, select

from metastore.features.files.models import FILE, FOLDER, LocatedNode, Node
from metastore.features.files.repository import FOLDER_KEY, ancestors_of
from metastore.features.files.tree.located_nodes import located_nodes
from metastore.kit.database.query import Query, Row, Statement, one_of
from metastore.kit.database.unit_of_work import Transaction
from metastore.kit.problems.problem import not_found

PAGE_ROWS = 500
"""How many files a page has at most."""
_MOST_FOLDERS = 200
"""How many folders share a page at most."""


class SubtreeFolder(NamedTuple):
    """A folder; ``parent_id`` is the folder that contains it."""

    id: str
    parent_id: str | None
    name: str
    created_at: datetime
    updated_at: datetime


class SubtreeFile(NamedTuple):
    """A file; ``size`` in bytes. ``object_key`` is ``None`` while it is being uploaded, ``crc32`` while unknown."""

    id: str
    parent_id: str | None
    name: str
    size: int
    object_key: str | None
    damage: str | None
    crc32: int | None
    created_at: datetime
    updated_at: datetime


class SelectedNode(NamedTuple):
    """A file or folder that was selected by its ID; ``file`` is ``None`` for a folder."""

    id: str
    name: str
    updated_at: datetime
    file: SubtreeFile | None


@dataclass(frozen=True, slots=True)
class FilePage:
    """Names a page: all files of several folders, or the files of one folder whose names are after ``after``."""

    folder_ids: tuple[str, ...]
    after: str = ""


async def begin_snapshot(tx: Transaction) -> None:
    """Make what the subtree functions read in ``tx`` one snapshot. Call it before them."""
    if tx.dialect != "sqlite":  # which has nothing else
        await tx.session.connection(execution_options={"isolation_level": "REPEATABLE READ"})


async def still_owned(tx: Transaction, owner_id: str, node_ids: Sequence[str]) -> list[LocatedNode]:
    """Return nodes that their owner has selected earlier, as a signed URL proves.

    Raises:
        Problem: 404 if one no longer exists, is in the trash, or no longer belongs to the owner.
    """
    found = await located_nodes(tx, node_ids)
    nodes = [node for node in found if node.owner_id == owner_id and node.trashed_at is None]
    if len(nodes) < len(node_ids):
        raise not_found("file or folder")
    return nodes


async def outermost(tx: Transaction, nodes: Sequence[LocatedNode]) -> list[SelectedNode]:
    """Return those of the nodes that are not inside another one of them, sorted by name.

    The CRC-32 of files is left unknown.
    """
    ids = {node.id for node in nodes}
    ancestors = await ancestors_of(tx, sorted(ids))
    inside = {start for start, path in ancestors.items() if any(above.id in ids for above in path[:-1])}
    found = sorted((node for node in nodes if node.id not in inside), key=lambda node: (node.name, node.id))
    return [SelectedNode(node.id, node.name, node.updated_at, _file_of(node)) for node in found]


async def folders_below(
    tx: Transaction, owner_id: str, folder_ids: Sequence[str], *, limit: int
) -> list[SubtreeFolder] | None:
    """Return these folders of the owner and all below them, in no particular order; ``None`` if they exceed ``limit``.

    ``folder_ids`` are those of nodes that were found to be the owner's.
    """
    found = await _rows(tx, _FOLDERS, owner=owner_id, ids=list(folder_ids), limit=limit + 1) if folder_ids else []
    return found if len(found) <= limit else None


class FilePages:
    """Reads the files in ``folder_ids``, in that order and sorted by their names in each, page after page."""

    def __init__(self, owner_id: str, folder_ids: Sequence[str]) -> None:
        self._owner = owner_id
        self._folders = folder_ids
        self._next = 0
        self._after = ""
        self._page_folders = _MOST_FOLDERS

    async def read_next(self, tx: Transaction) -> tuple[FilePage, list[SubtreeFile]] | None:
        """Return the next page and its files, of which there may be none; ``None`` after the last page."""
        while self._next < len(self._folders):
            count = 1 if self._after else self._page_folders
            page = FilePage(tuple(self._folders[self._next : self._next + count]), self._after)
            files = await _rows(tx, _FILES, owner=self._owner, **_bounds(page, PAGE_ROWS + 1))
            if len(files) > PAGE_ROWS and len(page.folder_ids) > 1:
                self._page_folders = max(1, len(page.folder_ids) // 2)
                continue
            return page, _in_order(page, self._advance(page, files))
        return None

    def _advance(self, page: FilePage, files: list[SubtreeFile]) -> list[SubtreeFile]:
        if len(files) > PAGE_ROWS:
            self._after = files[PAGE_ROWS - 1].name
            return files[:PAGE_ROWS]
        self._next += len(page.folder_ids)
        self._after = ""
        if len(files) < PAGE_ROWS // 2:
            self._page_folders = min(_MOST_FOLDERS, self._page_folders * 2)
        return files


async def read_page(tx: Transaction, owner_id: str, page: FilePage) -> list[SubtreeFile]:
    """Return the files that are in ``page`` now."""
    files = await tx.fetch(_FILES, owner=owner_id, **_bounds(page, PAGE_ROWS))
    return _in_order(page, files)


def _file_of(node: LocatedNode) -> SubtreeFile | None:
    if node.kind == FOLDER:
        return None
    values = (node.size, node.object_key, node.damage, None, node.created_at, node.updated_at)
    return SubtreeFile(node.id, node.parent_id, node.name, *values)


def _bounds(page: FilePage, limit: int) -> dict[str, object]:
    return {"ids": list(page.folder_ids), "after": page.after, "limit": limit}


def _in_order(page: FilePage, files: list[SubtreeFile]) -> list[SubtreeFile]:
    place = {folder_id: number for number, folder_id in enumerate(page.folder_ids)}
    return sorted(files, key=lambda file: (place[file.parent_id or ""], file.name))


async def _rows(tx: Transaction, query: Query[Row], **parameters: object) -> list[Row]:
    """Execute ``query`` in the session, whose transaction has a snapshot; ``fetch`` would need none."""
    return [query.row._make(row) for row in await tx.session.execute(query.statement(tx.dialect), parameters)]


def _folders_statement(dialect: str) -> Statement:
    columns = tuple(getattr(Node, name) for name in SubtreeFolder._fields)
    # No further condition: SQLite would look for one of them in an index, and read everything that the owner has.
    down = select(*columns).where(one_of(Node.id, "ids", dialect)).cte("down", recursive=True)
    # The expression has no type of its own; SQLite searches the index on the folder's key for nothing that has one.
    parent = down.c.id.concat(literal_column("''", Text))
    inside = (parent == FOLDER_KEY, Node.kind == literal_column(f"'{FOLDER}'"), Node.trashed_at.is_(None))
    down = down.union_all(
        select(*columns).select_from(Node).join(down, and_(Node.owner_id == bindparam("owner", type_=String), *inside))
    )
    return select(*(down.c[name] for name in SubtreeFolder._fields)).limit(bindparam("limit", type_=Integer))


def _files_statement(dialect: str) -> Statement:
    return (
        select(*(getattr(Node, name) for name in SubtreeFile._fields))
        .where(
            Node.owner_id == bindparam("owner", type_=String),
            one_of(FOLDER_KEY, "ids", dialect),
            Node.name > bindparam("after", type_=String),
            Node.kind == literal_column(f"'{FILE}'"),
            Node.trashed_at.is_(None),
        )
        .order_by(FOLDER_KEY, Node.name)
        .limit(bindparam("limit", type_=Integer))
    )


_FOLDERS = Query(SubtreeFolder, _folders_statement)
_FILES = Query(SubtreeFile, _files_statement)
