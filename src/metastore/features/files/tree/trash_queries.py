"""SQL statements on the trash."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import Select, case, delete, literal_column, select, update
from sqlalchemy.orm import aliased

from metastore.features.files.models import KEPT, PURGING, Node
from metastore.features.files.repository import IS_KEPT, IS_PURGING
from metastore.kit.database.unit_of_work import Transaction

_NO_SYNC = {"synchronize_session": False}


@dataclass(frozen=True, slots=True)
class PurgedNode:
    """The columns of a deleted node that its event needs."""

    id: str
    owner_id: str
    kind: str
    name: str
    size: int
    status: str
    object_key: str | None
    thumbnail_key: str | None


async def mark_trashed(tx: Transaction, root_id: str, now: datetime) -> None:
    """Trash a node and everything live below it, in one statement."""
    below = select(Node.id).where(Node.id == root_id).cte("below", recursive=True)
    below = below.union_all(select(Node.id).join(below, Node.parent_id == below.c.id).where(Node.trashed_at.is_(None)))
    await tx.session.execute(
        update(Node)
        .where(Node.id.in_(select(below.c.id)))
        .values(
            trashed_at=now,
            trash_root_id=root_id,
            trash_state=case((Node.id == root_id, KEPT), else_=None),
            version=Node.version + 1,
        )
        .execution_options(**_NO_SYNC)
    )


async def mark_restored(tx: Transaction, root_id: str) -> None:
    """Restore a trash root and everything trashed along with it."""
    await tx.session.execute(
        update(Node)
        .where(Node.trash_root_id == root_id)
        .values(trashed_at=None, trash_root_id=None, trash_state=None, version=Node.version + 1)
        .execution_options(**_NO_SYNC)
    )


async def mark_purging(tx: Transaction, root_id: str) -> None:
    """Mark a trash root as PURGING, which hides it from its owner."""
    await tx.session.execute(
        update(Node).where(Node.id == root_id, IS_KEPT).values(trash_state=PURGING).execution_options(**_NO_SYNC)
    )


async def mark_all_purging(tx: Transaction, owner_id: str) -> None:
    """Mark everything in an owner's trash as PURGING."""
    await tx.session.execute(
        update(Node).where(Node.owner_id == owner_id, IS_KEPT).values(trash_state=PURGING).execution_options(**_NO_SYNC)
    )


def expired_roots(before: datetime, limit: int) -> Select[str]:
    """Return the statement for the oldest trash roots that were trashed before ``before``."""
    return select(Node.id).where(IS_KEPT, Node.trashed_at < before).order_by(Node.trashed_at).limit(limit)


async def owners_of_expired(tx: Transaction, before: datetime, limit: int) -> Sequence[str]:
    """Return the owners of the ``limit`` oldest trash roots that were trashed before ``before``."""
    oldest = expired_roots(before, limit).scalar_subquery()
    return (await tx.session.scalars(select(Node.owner_id).where(Node.id.in_(oldest)).distinct())).all()


async def mark_expired_purging(tx: Transaction, owner_id: str, before: datetime, limit: int) -> None:
    """Mark up to ``limit`` of the owner's trash roots that were trashed before ``before`` as PURGING."""
    expired = select(Node.id).where(Node.owner_id == owner_id, IS_KEPT, Node.trashed_at < before).limit(limit)
    await tx.session.execute(
        update(Node)
        .where(Node.id.in_(expired.scalar_subquery()))
        .values(trash_state=PURGING)
        .execution_options(**_NO_SYNC)
    )


async def owners_of_purging(tx: Transaction, limit: int) -> Sequence[str]:
    """Return up to ``limit`` owners of trash roots that are PURGING, ordered by ID."""
    statement = select(Node.owner_id).where(IS_PURGING).distinct().order_by(Node.owner_id).limit(limit)
    return (await tx.session.scalars(statement)).all()


async def delete_below_purging(tx: Transaction, owner_id: str, limit: int) -> list[PurgedNode]:
    """Delete up to ``limit`` nodes below trash roots that are PURGING, but not the roots themselves."""
    root = aliased(Node, name="root")
    node_ids = (
        select(Node.id)
        .join(root, Node.trash_root_id == root.id)
        .where(root.owner_id == owner_id, root.trash_state == literal_column("'PURGING'"), Node.id != root.id)
        .limit(limit)
    )
    return await _delete(tx, node_ids)


async def delete_purging_roots(tx: Transaction, owner_id: str, limit: int) -> list[PurgedNode]:
    """Delete up to ``limit`` trash roots that are PURGING; nothing may be left below them."""
    return await _delete(tx, select(Node.id).where(Node.owner_id == owner_id, IS_PURGING).limit(limit))


async def _delete(tx: Transaction, node_ids: Select[str]) -> list[PurgedNode]:
    statement = (
        delete(Node)
        .where(Node.id.in_(node_ids.scalar_subquery()))
        .returning(*(getattr(Node, field.name) for field in fields(PurgedNode)))
        .execution_options(**_NO_SYNC)
    )
    return [PurgedNode(*row) for row in await tx.session.execute(statement)]
