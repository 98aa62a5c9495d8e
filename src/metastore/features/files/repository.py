"""SQL statements on single nodes and on their place in the tree.

Statements for lists and lookups by ID are in ``listing``, those for the trash in ``tree``, and those for store checks
in ``content.integrity``.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import (
    Integer,
    String,
    and_,
    bindparam,
    column,
    delete,
    func,
    literal,
    literal_column,
    or_,
    select,
    table,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.elements import ColumnElement

from metastore.features.files.models import FILE, FOLDER, UPLOADING, LocatedNode, Node
from metastore.kit.clock import utc_now
from metastore.kit.database.command import Command, Id, RowInsert
from metastore.kit.database.inserts import insert_into
from metastore.kit.database.query import Query, Statement, one_of
from metastore.kit.database.tables import table_of
from metastore.kit.database.unit_of_work import Transaction

_USERS = table("users", column("id"))

FOLDER_KEY: ColumnElement[str] = func.coalesce(Node.parent_id, literal_column("''"))
"""The ID of a node's folder as the indexes store it; empty for the root."""

# Literals rather than bound parameters: the planner uses a partial index only if its condition is in the statement.
IS_KEPT = Node.trash_state == literal_column("'KEPT'")
IS_PURGING = Node.trash_state == literal_column("'PURGING'")


class Ancestor(NamedTuple):
    """A node on the path from the root to a node, which may be that node itself."""

    id: str
    name: str
    parent_id: str | None
    owner_id: str
    kind: str
    created_at: datetime
    updated_at: datetime
    trashed_at: datetime | None


class _AncestorOf(NamedTuple):
    """An ancestor of the node ``start``, or that node itself; the other fields are those of ``Ancestor``."""

    start: str
    id: str
    name: str
    parent_id: str | None
    owner_id: str
    kind: str
    created_at: datetime
    updated_at: datetime
    trashed_at: datetime | None


_ANCESTOR_COLUMNS = tuple(getattr(Node, name) for name in Ancestor._fields)


async def lock_owner(tx: Transaction, owner_id: str) -> None:
    """Lock the owner's tree against changes by other transactions until this one ends.

    The user's row serves as the lock because uploads lock it too, when they count bytes. SQLite has a single writer and
    needs no lock.
    """
    if tx.dialect != "sqlite":
        # FOR NO KEY UPDATE: other transactions may still insert rows that refer to the user.
        statement = select(_USERS.c.id).where(_USERS.c.id == owner_id).with_for_update(key_share=True)
        await tx.session.execute(statement)


async def lock_owner_of(tx: Transaction, node_id: str) -> None:
    """Lock the tree of the node's owner, as ``lock_owner`` does; do nothing if the node does not exist."""
    if tx.dialect != "sqlite":
        owner = select(Node.owner_id).where(Node.id == node_id).scalar_subquery()
        statement = select(_USERS.c.id).where(_USERS.c.id == owner).with_for_update(key_share=True)
        await tx.session.execute(statement)


async def find(tx: Transaction, node_id: str) -> Node | None:
    """Return the node with this ID, whatever its owner, in the trash or not."""
    return await tx.session.get(Node, node_id, populate_existing=True)


async def add(tx: Transaction, node: Node) -> bool:
    """Insert ``node``, which stays outside the session; return ``False`` if its name is taken."""
    for each in _NODES:
        if each.default is not None and getattr(node, each.key) is None:
            setattr(node, each.key, each.default.arg)  # type: ignore[attr-defined]  # all are constants
    return bool(await tx.execute(_ADD, **{each.key: getattr(node, each.key) for each in _NODES}))


async def add_all(tx: Transaction, nodes: Sequence[Node]) -> None:
    """Insert nodes whose names are known to be free, parents before children."""
    tx.session.add_all(nodes)
    await tx.session.flush()


def is_name_taken(error: IntegrityError) -> bool:
    """Return whether the error is about a name that another node of the folder has."""
    return "uq_nodes_name" in str(error.orig)


async def find_by_name(tx: Transaction, owner_id: str, folder_id: str | None, name: str) -> Node | None:
    """Return the node with this name in the folder, unless it is in the trash."""
    statement = select(Node).where(*_in_folder(owner_id, folder_id), Node.name == name)
    return (await tx.session.scalars(statement)).first()


async def taken_names(tx: Transaction, owner_id: str, folder_id: str | None, name: str, prefix: str) -> set[str]:
    """Return the names in the folder that equal ``name`` or start with ``prefix`` and a parenthesis."""
    values = {"owner": owner_id, "folder": folder_id or "", "name": name, "first": f"{prefix}(", "end": f"{prefix})"}
    return {row.name for row in await tx.fetch(_TAKEN_NAMES, **values)}


async def ancestors_of(tx: Transaction, node_ids: Sequence[str]) -> dict[str, list[Ancestor]]:
    """Return, by node ID, the path from the root down to the node, itself included, in one statement."""
    found: dict[str, list[Ancestor]] = {}
    for row in await tx.fetch(_ANCESTORS, ids=list(node_ids)) if node_ids else []:
        found.setdefault(row.start, []).append(Ancestor._make(row[1:]))
    return found


async def chain_to(tx: Transaction, node_id: str) -> list[Ancestor]:
    """Return the path from the root down to the node, itself included; empty if it does not exist."""
    return await tx.fetch(_CHAIN, id=node_id)


async def resolve_path(tx: Transaction, owner_id: str, names: Sequence[str]) -> list[Ancestor]:
    """Return the nodes along a path from the root, as far as they exist, in one statement.

    A file ends the path.
    """
    if not names:
        return []
    # Names contain no slash.
    values = {"owner": owner_id, "path": "".join(f"{name}/" for name in names)}
    return await tx.fetch(_PATH, **values)


class _Name(NamedTuple):
    name: str


_NODES = table_of(Node).c
_ADD = RowInsert(Id, lambda dialect: insert_into(table_of(Node), dialect).on_conflict_do_nothing().returning(_NODES.id))
_TAKEN_NAMES = Query(
    _Name,
    select(Node.name).where(
        Node.owner_id == bindparam("owner"),
        bindparam("folder") == FOLDER_KEY,
        Node.trashed_at.is_(None),
        or_(
            Node.name == bindparam("name"),
            and_(Node.name >= bindparam("first"), Node.name < bindparam("end")),
        ),
    ),
)


def _ancestors_statement(dialect: str) -> Statement:
    up = (
        select(Node.id.label("start"), literal_column("0", Integer).label("height"), *_ANCESTOR_COLUMNS)
        .where(one_of(Node.id, "ids", dialect))
        .cte("up", recursive=True)
    )
    parents = select(up.c.start, up.c.height + 1, *_ANCESTOR_COLUMNS).select_from(Node)
    up = up.union_all(parents.join(up, Node.id == up.c.parent_id))
    return select(*(up.c[name] for name in _AncestorOf._fields)).order_by(up.c.start, up.c.height.desc())


def _chain_statement() -> Statement:
    up = (
        select(literal_column("0", Integer).label("height"), *_ANCESTOR_COLUMNS)
        .where(Node.id == bindparam("id", type_=String))
        .cte("up", recursive=True)
    )
    up = up.union_all(select(up.c.height + 1, *_ANCESTOR_COLUMNS).where(Node.id == up.c.parent_id))
    return select(*(up.c[name] for name in Ancestor._fields)).order_by(up.c.height.desc())


def _path_statement(dialect: str) -> Statement:
    def first(path: ColumnElement[str]) -> ColumnElement[str]:
        return func.substr(path, 1, func.instr(path, "/") - 1) if sqlite else func.split_part(path, "/", 1)

    def rest(path: ColumnElement[str]) -> ColumnElement[str]:
        return func.substr(path, (func.instr if sqlite else func.strpos)(path, "/") + 1)

    sqlite = dialect == "sqlite"
    live = (Node.owner_id == bindparam("owner", type_=String), Node.trashed_at.is_(None))
    path = bindparam("path", type_=String)
    down = (
        select(literal(1, Integer).label("depth"), rest(path).label("rest"), *_ANCESTOR_COLUMNS)
        .where(*live, literal_column("''") == FOLDER_KEY, Node.name == first(path))
        .cte("down", recursive=True)
    )
    deeper = (down.c.id == FOLDER_KEY) & (down.c.kind == FOLDER) & (Node.name == first(down.c.rest))
    down = down.union_all(
        select(down.c.depth + 1, rest(down.c.rest), *_ANCESTOR_COLUMNS)
        .select_from(Node)
        .join(down, deeper)
        .where(*live)
    )
    return select(*(down.c[name] for name in Ancestor._fields)).order_by(down.c.depth)


_ANCESTORS = Query(_AncestorOf, _ancestors_statement)
_CHAIN = Query(Ancestor, _chain_statement())
_PATH = Query(Ancestor, _path_statement)


async def subtree_height(tx: Transaction, node_id: str) -> int:
    """Return the number of folder levels of the subtree, its root included; 0 for a file.

    If the folder is in the trash, only what was trashed along with it counts.
    """
    top = select(Node.id, Node.kind, Node.trash_root_id, literal(1, Integer).label("level")).where(
        Node.id == node_id, Node.kind == FOLDER
    )
    down = top.cte("down", recursive=True)
    same_trash_root = func.coalesce(Node.trash_root_id, literal_column("''")) == func.coalesce(
        down.c.trash_root_id, literal_column("''")
    )
    down = down.union_all(
        select(Node.id, Node.kind, Node.trash_root_id, down.c.level + 1)
        .select_from(Node)
        .join(down, (Node.parent_id == down.c.id) & (Node.kind == FOLDER) & same_trash_root)
    )
    return (await tx.session.scalar(select(func.max(down.c.level)))) or 0


class CompletedFile(NamedTuple):
    """The columns that completing a file sets; ``size`` in bytes."""

    status: str
    object_key: str
    size: int
    object_etag: str
    checksum: str | None
    mime_type: str
    updated_at: datetime


_COMPLETE = Command(
    LocatedNode,
    update(table_of(Node))
    .where(_NODES.id == bindparam("node"), _NODES.kind == FILE, _NODES.status == UPLOADING)
    .values(
        version=_NODES.version + 1,
        **{name: bindparam(f"new_{name}", type_=_NODES[name].type) for name in CompletedFile._fields},
    )
    .returning(*(_NODES[name] for name in LocatedNode._fields if name != "folder_path"), literal("")),
)


async def complete(tx: Transaction, node_id: str, completed: CompletedFile) -> LocatedNode | None:
    """Complete a file that is UPLOADING; return it without its path, or ``None`` if there is no such file."""
    values = {f"new_{name}": value for name, value in completed._asdict().items()}
    rows = await tx.execute(_COMPLETE, node=node_id, **values)
    return rows[0] if rows else None


async def change_status(tx: Transaction, node_id: str, old: str, new: str) -> Node | None:
    """Change a file's status from ``old`` to ``new``; return ``None`` if there is no such file."""
    statement = (
        update(Node)
        .where(Node.id == node_id, Node.kind == FILE, Node.status == old)
        .values(status=new, version=Node.version + 1)
        .returning(Node)
        .execution_options(populate_existing=True)
    )
    return (await tx.session.scalars(statement)).first()


async def set_thumbnail(tx: Transaction, node_id: str, thumbnail_key: str | None) -> bool:
    """Set or clear a file's thumbnail; return ``False`` if the file no longer exists."""
    statement = (
        update(Node)
        .where(Node.id == node_id)
        .values(thumbnail_key=thumbnail_key, version=Node.version + 1)
        .returning(Node.id)
        .execution_options(synchronize_session=False)
    )
    return (await tx.session.execute(statement)).first() is not None


async def mark_playable(tx: Transaction, node_id: str) -> bool:
    """Mark a file as playable; return ``False`` if it was marked before or no longer exists."""
    statement = (
        update(Node)
        .where(Node.id == node_id, Node.playable_at.is_(None))
        .values(playable_at=utc_now(), version=Node.version + 1)
        .returning(Node.id)
        .execution_options(synchronize_session=False)
    )
    return (await tx.session.execute(statement)).first() is not None


async def clear_playable(tx: Transaction, node_id: str) -> None:
    """Mark a file as not playable."""
    statement = update(Node).where(Node.id == node_id, Node.playable_at.is_not(None))
    values = {"playable_at": None, "version": Node.version + 1}
    await tx.session.execute(statement.values(values).execution_options(synchronize_session=False))


async def delete_uploading(tx: Transaction, node_id: str) -> bool:
    """Delete the file if it is UPLOADING; return whether it was deleted."""
    statement = delete(Node).where(Node.id == node_id, Node.status == UPLOADING).returning(Node.id)
    return (await tx.session.execute(statement.execution_options(synchronize_session=False))).first() is not None


async def name_of(tx: Transaction, node_id: str) -> str | None:
    """Return a node's name; ``None`` if it does not exist."""
    return await tx.session.scalar(select(Node.name).where(Node.id == node_id))


def _in_folder(owner_id: str, folder_id: str | None) -> tuple[ColumnElement[bool], ...]:
    folder_key = literal_column("''") if folder_id is None else literal(folder_id, String)
    return (Node.owner_id == owner_id, folder_key == FOLDER_KEY, Node.trashed_at.is_(None))
