"""SQL statements on single nodes and on where they lie. ``list_queries`` and ``trash_queries`` have the others."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    Integer,
    Select,
    String,
    bindparam,
    column,
    delete,
    func,
    literal,
    literal_column,
    select,
    table,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.elements import ColumnElement

from metastore.features.files.models import FILE, FOLDER, UPLOADING, Node
from metastore.kit.clock import utc_now
from metastore.kit.database import Transaction

_USERS = table("users", column("id"))

FOLDER_KEY: ColumnElement[str] = func.coalesce(Node.parent_id, literal_column("''"))
"""Where a node lies, as the indexes have it: the folder's id, or nothing for the root."""

# Written out rather than bound: a partial index is used only when its condition can be read in the statement.
IS_KEPT = Node.trash_state == literal_column("'KEPT'")
IS_PURGING = Node.trash_state == literal_column("'PURGING'")


class Step(NamedTuple):
    """A folder (or whatever is at the end) on a way through the tree."""

    id: str
    name: str
    parent_id: str | None
    owner_id: str
    kind: str
    created_at: datetime
    updated_at: datetime
    trashed_at: datetime | None


_STEP = tuple(getattr(Node, name) for name in Step._fields)


async def lock_owner(tx: Transaction, owner_id: str) -> None:
    """Let nobody else change this owner's tree until the transaction ends.

    The user's row is the lock because uploads take it as well, when they count bytes. On SQLite the writer is alone.
    """
    if tx.dialect != "sqlite":
        # "No key" strength: rows that refer to the user may still be written meanwhile.
        statement = select(_USERS.c.id).where(_USERS.c.id == owner_id).with_for_update(key_share=True)
        await tx.session.execute(statement)


async def lock_owner_of(tx: Transaction, node_id: str) -> None:
    """``lock_owner`` for the owner of a node; nothing happens when there is none."""
    if tx.dialect != "sqlite":
        owner = select(Node.owner_id).where(Node.id == node_id).scalar_subquery()
        statement = select(_USERS.c.id).where(_USERS.c.id == owner).with_for_update(key_share=True)
        await tx.session.execute(statement)


async def find(tx: Transaction, node_id: str) -> Node | None:
    """The node of that id, whoever owns it and wherever it lies."""
    return await tx.session.get(Node, node_id, populate_existing=True)


async def add(tx: Transaction, node: Node) -> bool:
    """Insert ``node``; ``False`` when its name is taken."""
    try:
        async with tx.session.begin_nested():
            tx.session.add(node)
            await tx.session.flush()
    except IntegrityError as error:
        if not _name_taken(error):
            raise
        return False
    return True


async def add_all(tx: Transaction, nodes: Sequence[Node]) -> None:
    """Insert nodes whose names are known to be free, parents first."""
    tx.session.add_all(nodes)
    await tx.session.flush()


def _name_taken(error: IntegrityError) -> bool:
    return "uq_nodes_name" in str(error.orig)


async def named(tx: Transaction, owner_id: str, folder_id: str | None, name: str) -> Node | None:
    """What has that name in that folder."""
    statement = select(Node).where(*_in_folder(owner_id, folder_id), Node.name == name)
    return (await tx.session.scalars(statement)).first()


async def taken_names(tx: Transaction, owner_id: str, folder_id: str | None, name: str, before: str) -> set[str]:
    """Of the names in that folder, ``name`` itself and those that begin with ``before`` and a bracket."""
    twins = (Node.name >= before + "(") & (Node.name < before + ")")
    statement = select(Node.name).where(*_in_folder(owner_id, folder_id), (Node.name == name) | twins)
    return set(await tx.session.scalars(statement))


async def way_to(tx: Transaction, node_ids: Sequence[str]) -> dict[str, list[Step]]:
    """For each node the steps from the root down to it, itself included, in one statement."""
    ways: dict[str, list[Step]] = {}
    for start, _, *step in await tx.session.execute(_upward(), {"ids": list(node_ids)}):
        ways.setdefault(start, []).append(Step._make(step))
    return ways


async def walk(tx: Transaction, owner_id: str, segments: Sequence[str]) -> list[Step]:
    """Follow names down from the root as far as they go, in one statement. A file ends the way."""
    if not segments:
        return []
    # No name has a slash in it.
    values = {"owner": owner_id, "path": "".join(f"{name}/" for name in segments)}
    return [Step._make(step) for _, _, *step in await tx.session.execute(_downward(tx.dialect), values)]


# Statements that every list needs are built once: building one takes longer than the database takes to answer it.


@cache
def _upward() -> Select[*tuple[Any, ...]]:
    up = (
        select(Node.id.label("start"), literal(0, Integer).label("height"), *_STEP)
        .where(Node.id.in_(bindparam("ids", expanding=True)))
        .cte("up", recursive=True)
    )
    up = up.union_all(select(up.c.start, up.c.height + 1, *_STEP).select_from(Node).join(up, Node.id == up.c.parent_id))
    return select(up).order_by(up.c.start, up.c.height.desc())


@cache
def _downward(dialect: str) -> Select[*tuple[Any, ...]]:
    def first(path: ColumnElement[str]) -> ColumnElement[str]:
        return func.substr(path, 1, func.instr(path, "/") - 1) if sqlite else func.split_part(path, "/", 1)

    def rest(path: ColumnElement[str]) -> ColumnElement[str]:
        return func.substr(path, (func.instr if sqlite else func.strpos)(path, "/") + 1)

    sqlite = dialect == "sqlite"
    mine = (Node.owner_id == bindparam("owner", type_=String), Node.trashed_at.is_(None))
    path = bindparam("path", type_=String)
    down = (
        select(literal(1, Integer).label("depth"), rest(path).label("rest"), *_STEP)
        .where(*mine, literal_column("''") == FOLDER_KEY, Node.name == first(path))
        .cte("down", recursive=True)
    )
    deeper = (down.c.id == FOLDER_KEY) & (down.c.kind == FOLDER) & (Node.name == first(down.c.rest))
    down = down.union_all(
        select(down.c.depth + 1, rest(down.c.rest), *_STEP).select_from(Node).join(down, deeper).where(*mine)
    )
    return select(down).order_by(down.c.depth)


async def height_of(tx: Transaction, node_id: str) -> int:
    """How many levels of folders the tree below a folder has, that folder included; a file has none.

    Counts what is alive or went into the trash together with the folder.
    """
    top = select(Node.id, Node.kind, Node.trash_root_id, literal(1, Integer).label("level")).where(
        Node.id == node_id, Node.kind == FOLDER
    )
    down = top.cte("down", recursive=True)
    same_fate = func.coalesce(Node.trash_root_id, literal_column("''")) == func.coalesce(
        down.c.trash_root_id, literal_column("''")
    )
    down = down.union_all(
        select(Node.id, Node.kind, Node.trash_root_id, down.c.level + 1)
        .select_from(Node)
        .join(down, (Node.parent_id == down.c.id) & (Node.kind == FOLDER) & same_fate)
    )
    return (await tx.session.scalar(select(func.max(down.c.level)))) or 0


async def finish(tx: Transaction, node_id: str, changes: dict[str, object]) -> Node | None:
    """UPLOADING → READY or PROCESSING with ``changes``; ``None`` when the file is gone or was finished before."""
    statement = (
        update(Node)
        .where(Node.id == node_id, Node.kind == FILE, Node.status == UPLOADING)
        .values(version=Node.version + 1, **changes)
        .returning(Node)
        .execution_options(populate_existing=True)
    )
    return (await tx.session.scalars(statement)).first()


async def change_status(tx: Transaction, node_id: str, old: str, new: str) -> Node | None:
    """Turn a file of status ``old`` into one of status ``new``; ``None`` when there is none such."""
    statement = (
        update(Node)
        .where(Node.id == node_id, Node.kind == FILE, Node.status == old)
        .values(status=new, version=Node.version + 1)
        .returning(Node)
        .execution_options(populate_existing=True)
    )
    return (await tx.session.scalars(statement)).first()


async def set_thumbnail(tx: Transaction, node_id: str, thumbnail_key: str | None) -> bool:
    """Note a file's small picture; ``False`` when the file is gone."""
    statement = (
        update(Node)
        .where(Node.id == node_id)
        .values(thumbnail_key=thumbnail_key, version=Node.version + 1)
        .returning(Node.id)
        .execution_options(synchronize_session=False)
    )
    return (await tx.session.execute(statement)).first() is not None


async def make_playable(tx: Transaction, node_id: str) -> bool:
    """Note that a file can be played; ``False`` when that was so before, or the file is gone."""
    statement = (
        update(Node)
        .where(Node.id == node_id, Node.playable_at.is_(None))
        .values(playable_at=utc_now(), version=Node.version + 1)
        .returning(Node.id)
        .execution_options(synchronize_session=False)
    )
    return (await tx.session.execute(statement)).first() is not None


async def clear_playable(tx: Transaction, node_id: str) -> None:
    """Note that a file cannot be played."""
    statement = update(Node).where(Node.id == node_id, Node.playable_at.is_not(None))
    values = {"playable_at": None, "version": Node.version + 1}
    await tx.session.execute(statement.values(values).execution_options(synchronize_session=False))


async def discard(tx: Transaction, node_id: str) -> bool:
    """Delete a file that is still UPLOADING."""
    statement = delete(Node).where(Node.id == node_id, Node.status == UPLOADING).returning(Node.id)
    return (await tx.session.execute(statement.execution_options(synchronize_session=False))).first() is not None


async def name_of(tx: Transaction, node_id: str) -> str | None:
    """A node's name."""
    return await tx.session.scalar(select(Node.name).where(Node.id == node_id))


def _in_folder(owner_id: str, folder_id: str | None) -> tuple[ColumnElement[bool], ...]:
    place = literal_column("''") if folder_id is None else literal(folder_id, String)
    return (Node.owner_id == owner_id, place == FOLDER_KEY, Node.trashed_at.is_(None))
