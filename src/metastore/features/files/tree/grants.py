"""Grants: which rights others have on a node and on everything below it.

A grant belongs to the node, not to its path: it follows the node when that is renamed or moved, and ends with it. It
also ends when it expires or is revoked, and it is void while the owner is suspended or the node is in the trash.

``access`` decides by what ``grants_reaching`` finds; features that share write grants here.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import (
    ColumnElement,
    Integer,
    String,
    Text,
    bindparam,
    cast,
    column,
    literal_column,
    select,
    table,
    update,
)

from metastore.features.files.models import Grant, Node
from metastore.kit.database.command import Command, Id, RowInsert
from metastore.kit.database.inserts import insert_into
from metastore.kit.database.query import Query, Statement, one_of
from metastore.kit.database.tables import table_of
from metastore.kit.database.unit_of_work import Transaction


class ReachingGrant(NamedTuple):
    """A grant that reaches the node ``start``: it is on that node or on a folder above it."""

    start: str
    root_id: str
    """The node that the grant is on."""
    rights: int
    height: int
    """Levels from the root to the node; 0 if they are the same."""
    folder_path: str
    """The path of the node's folder as the subject sees it, beginning with the root's name; empty for the root."""
    owner_name: str


class GrantRow(NamedTuple):
    """A grant that has not been revoked."""

    id: str
    node_id: str
    owner_id: str
    subject_id: str
    version: int
    rights: int
    created_at: datetime
    expires_at: datetime | None


async def grants_reaching(
    tx: Transaction, node_ids: Sequence[str], subject_id: str, version: int, now: datetime
) -> list[ReachingGrant]:
    """Return the subject's grants of that version that are in force for any of the nodes, in one statement."""
    if not node_ids:
        return []
    return await tx.fetch(_REACHING, ids=list(node_ids), subject=subject_id, version=version, now=now)


async def insert(tx: Transaction, grant: GrantRow) -> bool:
    """Insert a grant; return ``False`` if the subject has one on the node already."""
    return bool(await tx.execute(_INSERT, **grant._asdict()))


async def change(tx: Transaction, grant_id: str, *, rights: int, version: int, expires_at: datetime | None) -> None:
    """Change the rights, the version and the expiry of a grant."""
    await tx.execute(_CHANGE, grant=grant_id, new_rights=rights, new_version=version, new_expires_at=expires_at)


async def revoke(tx: Transaction, grant_id: str, now: datetime) -> bool:
    """Revoke a grant; return whether it was not revoked before."""
    return bool(await tx.execute(_REVOKE, grant=grant_id, now=now))


async def find(tx: Transaction, grant_id: str) -> GrantRow | None:
    """Return a grant that has not been revoked; it may have expired."""
    return await tx.fetch_first(_BY_ID, grant=grant_id)


async def on_node(tx: Transaction, node_id: str) -> list[GrantRow]:
    """Return the grants on a node that have not been revoked, oldest first."""
    return await tx.fetch(_ON_NODE, node=node_id)


async def given_by(tx: Transaction, owner_id: str, *, after: str, limit: int) -> list[GrantRow]:
    """Return the grants on the owner's live nodes with IDs above ``after``, oldest first."""
    return await tx.fetch(_GIVEN_BY, owner=owner_id, after=after, limit=limit)


async def given_to(tx: Transaction, subject_id: str, now: datetime, *, after: str, limit: int) -> list[GrantRow]:
    """Return the subject's grants that are in force, with IDs above ``after``, oldest first."""
    return await tx.fetch(_GIVEN_TO, subject=subject_id, now=now, after=after, limit=limit)


_G = table_of(Grant).c
_N = table_of(Node).c
_USERS = table("users", column("id", String), column("status", String), column("display_name", String))
_NOT_REVOKED = _G.revoked_at.is_(None)
_COLUMNS = tuple(_G[name] for name in GrantRow._fields)
_NOW = bindparam("now", type_=_G.created_at.type)
_NOT_EXPIRED = _G.expires_at.is_(None) | (_G.expires_at > _NOW)
_ACTIVE = _USERS.c.status == literal_column("'ACTIVE'")


def _reaching(dialect: str) -> Statement:
    """Return the statement that climbs from each node to the root, and collects the names on the way."""
    nothing: ColumnElement[str] = cast(literal_column("''"), Text)
    if dialect == "postgresql":
        nothing = nothing.collate("C")  # that of names, which the rows to come have
    up = (
        select(
            _N.id.label("start"),
            _N.id.label("id"),
            _N.parent_id.label("parent_id"),
            literal_column("0", Integer).label("height"),
            nothing.label("path"),
        )
        .where(one_of(Node.id, "ids", dialect))
        .cte("up", recursive=True)
    )
    slash: ColumnElement[str] = literal_column("'/'", Text)
    up = up.union_all(
        select(up.c.start, _N.id, _N.parent_id, up.c.height + 1, slash.concat(_N.name).concat(up.c.path)).where(
            _N.id == up.c.parent_id
        )
    )
    return (
        select(up.c.start, _G.node_id, _G.rights, up.c.height, up.c.path, _USERS.c.display_name)
        .join(_G_TABLE, _G.node_id == up.c.id)
        .join(_USERS, _USERS.c.id == _G.owner_id)
        .where(
            _G.subject_id == bindparam("subject", type_=String),
            _G.version == bindparam("version", type_=Integer),
            _NOT_REVOKED,
            _NOT_EXPIRED,
            _ACTIVE,
        )
        .order_by(up.c.start, up.c.height.desc())
    )


_G_TABLE = table_of(Grant)
_REACHING = Query(ReachingGrant, _reaching)
_INSERT = RowInsert(
    Id,
    lambda dialect: (
        insert_into(_G_TABLE, dialect)
        .on_conflict_do_nothing(index_elements=[_G.node_id, _G.subject_id], index_where=_NOT_REVOKED)
        .returning(_G.id)
    ),
)
_THIS = (_G.id == bindparam("grant", type_=String), _NOT_REVOKED)
_CHANGE = Command(
    Id,
    update(_G_TABLE)
    .where(*_THIS)
    .values(
        rights=bindparam("new_rights", type_=_G.rights.type),
        version=bindparam("new_version", type_=_G.version.type),
        expires_at=bindparam("new_expires_at", type_=_G.expires_at.type),
    )
    .returning(_G.id),
)
_REVOKE = Command(Id, update(_G_TABLE).where(*_THIS).values(revoked_at=_NOW).returning(_G.id))
_BY_ID = Query(GrantRow, select(*_COLUMNS).where(*_THIS))
_ON_NODE = Query(
    GrantRow,
    select(*_COLUMNS).where(_G.node_id == bindparam("node", type_=String), _NOT_REVOKED).order_by(_G.id),
)
_LIVE_NODES = (_G.node_id == _N.id, _N.trashed_at.is_(None), _NOT_REVOKED, _G.id > bindparam("after", type_=String))
_LIMIT = bindparam("limit", type_=Integer)
_GIVEN_BY = Query(
    GrantRow,
    select(*_COLUMNS)
    .where(_G.owner_id == bindparam("owner", type_=String), *_LIVE_NODES)
    .order_by(_G.id)
    .limit(_LIMIT),
)
_GIVEN_TO = Query(
    GrantRow,
    select(*_COLUMNS)
    .join(_USERS, _USERS.c.id == _G.owner_id)
    .where(_G.subject_id == bindparam("subject", type_=String), *_LIVE_NODES, _NOT_EXPIRED, _ACTIVE)
    .order_by(_G.id)
    .limit(_LIMIT),
)
