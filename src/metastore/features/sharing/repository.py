"""SQL statements on share links and on what visitors did."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import NamedTuple

from sqlalchemy import Integer, String, bindparam, case, insert, select, update

from metastore.features.sharing.models import ShareAccess, ShareLink
from metastore.kit.database.command import Command, Nothing, RowInsert
from metastore.kit.database.query import Query
from metastore.kit.database.tables import table_of
from metastore.kit.database.unit_of_work import Transaction


class LinkRow(NamedTuple):
    """A share link."""

    id: str
    node_id: str
    owner_id: str
    kind: str
    permission: str
    label: str | None
    password_hash: str | None
    generation: int
    version: int
    expires_at: datetime | None
    max_access_count: int | None
    access_count: int
    last_accessed_at: datetime | None
    created_at: datetime
    revoked_at: datetime | None

    @property
    def is_used_up(self) -> bool:
        """Whether it has been opened as often as it may be."""
        return self.max_access_count is not None and self.access_count >= self.max_access_count


class AccessRow(NamedTuple):
    """Something that a visitor did."""

    id: str
    visitor_id: str
    address: str | None
    action: str
    counted: bool
    at: datetime


class Counted(NamedTuple):
    """The number of a counted access, and when the owner was last notified: now, if this one notifies."""

    access_count: int
    notified_at: datetime


async def insert_link(tx: Transaction, link: Mapping[str, object]) -> None:
    """Insert a link, given by its columns."""
    await tx.execute(_INSERT_LINK, **link)


async def link_by_token(tx: Transaction, token_hash: str) -> LinkRow | None:
    """Return the link with a token of that hash."""
    return await tx.fetch_first(_BY_TOKEN, token_hash=token_hash)


async def link_of(tx: Transaction, owner_id: str, link_id: str) -> LinkRow | None:
    """Return the owner's link."""
    return await tx.fetch_first(_BY_ID, owner=owner_id, link=link_id)


async def links_of(
    tx: Transaction, owner_id: str, *, node_id: str | None, before: str | None, limit: int
) -> list[LinkRow]:
    """Return the owner's links, to one node or to all, with IDs below ``before``, latest first."""
    query = _links_query(of_node=node_id is not None, resumed=before is not None)
    return await tx.fetch(query, owner=owner_id, node=node_id, before=before, limit=limit)


async def lock_link(tx: Transaction, owner_id: str, link_id: str) -> ShareLink | None:
    """Return the owner's link to be changed, locked until the transaction ends."""
    statement = select(ShareLink).where(ShareLink.id == link_id, ShareLink.owner_id == owner_id)
    return await tx.session.scalar(statement.with_for_update().execution_options(populate_existing=True))


async def exists(tx: Transaction, link_id: str) -> bool:
    """Return whether there is a link of that ID, whoever owns it."""
    return await tx.session.get(ShareLink, link_id) is not None


async def count_access(tx: Transaction, link: LinkRow, *, now: datetime, notified_before: datetime) -> Counted | None:
    """Count an access; return ``None`` if the link has changed, is over or used up.

    The owner is to be notified if that last happened before ``notified_before``.
    """
    counted = await tx.execute(
        _COUNT, link=link.id, seen_version=link.version, now=now, notified_before=notified_before
    )
    return counted[0] if counted else None


async def insert_access(tx: Transaction, access: AccessRow, link_id: str) -> None:
    """Insert what a visitor did."""
    await tx.execute(_INSERT_ACCESS, **access._asdict(), link_id=link_id)


async def accesses_of(tx: Transaction, link_id: str, *, before: str | None, limit: int) -> list[AccessRow]:
    """Return what visitors of a link did, with IDs below ``before``, latest first."""
    return await tx.fetch(_accesses_query(resumed=before is not None), link=link_id, before=before, limit=limit)


_L = table_of(ShareLink).c
_A = table_of(ShareAccess).c
_COLUMNS = tuple(_L[name] for name in LinkRow._fields)
_OWNED = _L.owner_id == bindparam("owner", type_=String)
_LIMIT = bindparam("limit", type_=Integer)
_NOW = bindparam("now", type_=_L.created_at.type)
_INSERT_LINK = RowInsert(Nothing, insert(table_of(ShareLink)))
_INSERT_ACCESS = RowInsert(Nothing, insert(table_of(ShareAccess)))
_BY_TOKEN = Query(LinkRow, select(*_COLUMNS).where(_L.token_hash == bindparam("token_hash", type_=String)))
_BY_ID = Query(LinkRow, select(*_COLUMNS).where(_OWNED, _L.id == bindparam("link", type_=String)))
_IS_DUE = _L.notified_at.is_(None) | (_L.notified_at <= bindparam("notified_before", type_=_L.created_at.type))
_COUNT = Command(
    Counted,
    update(table_of(ShareLink))
    .where(
        _L.id == bindparam("link", type_=String),
        _L.version == bindparam("seen_version", type_=Integer),
        _L.revoked_at.is_(None),
        _L.expires_at.is_(None) | (_L.expires_at > _NOW),
        _L.max_access_count.is_(None) | (_L.access_count < _L.max_access_count),
    )
    .values(
        access_count=_L.access_count + 1,
        last_accessed_at=_NOW,
        notified_at=case((_IS_DUE, _NOW), else_=_L.notified_at),
    )
    .returning(_L.access_count, _L.notified_at),
)


@cache
def _links_query(*, of_node: bool, resumed: bool) -> Query[LinkRow]:
    statement = select(*_COLUMNS).where(_OWNED)
    if of_node:
        statement = statement.where(_L.node_id == bindparam("node", type_=String))
    if resumed:
        statement = statement.where(_L.id < bindparam("before", type_=String))
    return Query(LinkRow, statement.order_by(_L.id.desc()).limit(_LIMIT))


@cache
def _accesses_query(*, resumed: bool) -> Query[AccessRow]:
    columns = (_A[name] for name in AccessRow._fields)
    statement = select(*columns).where(_A.link_id == bindparam("link", type_=String))
    if resumed:
        statement = statement.where(_A.id < bindparam("before", type_=String))
    return Query(AccessRow, statement.order_by(_A.id.desc()).limit(_LIMIT))
