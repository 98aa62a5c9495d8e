"""SQL statements that read nodes by ID, in the trash or not."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Row, String, literal, select

from metastore.features.files.models import FILE, LISTED_COLUMNS, Node, NodeRow
from metastore.features.files.repository import FOLDER_KEY
from metastore.kit.database.unit_of_work import Transaction


class OwnedRow(NamedTuple):
    """A node and its owner."""

    owner_id: str
    node: NodeRow


async def nodes_with_owner(tx: Transaction, node_ids: Sequence[str]) -> list[OwnedRow]:
    """Return the nodes with these IDs that exist."""
    statement = select(Node.owner_id, *LISTED_COLUMNS).where(Node.id.in_(node_ids))
    return [OwnedRow(owner, NodeRow._make(row)) for owner, *row in await tx.session.execute(statement)]


async def descendant_ids(tx: Transaction, folder_id: str) -> list[str]:
    """Return the IDs of a folder and of everything below it."""
    below = select(Node.id).where(Node.id == folder_id).cte("below", recursive=True)
    below = below.union_all(select(Node.id).join(below, Node.parent_id == below.c.id))
    return list(await tx.session.scalars(select(below.c.id)))


async def playable(tx: Transaction, file_id: str) -> Row[str, str, str | None, str, str | None, str] | None:
    """Return ID, owner, folder, name, thumbnail key and status of a file if it may be played."""
    statement = select(Node.id, Node.owner_id, Node.parent_id, Node.name, Node.thumbnail_key, Node.status).where(
        Node.id == file_id,
        Node.kind == FILE,
        Node.playable_at.is_not(None),
        Node.trashed_at.is_(None),
        Node.damage.is_(None),
    )
    return (await tx.session.execute(statement)).first()


async def with_stem(
    tx: Transaction, owner_id: str, folder_id: str | None, stem: str, *, limit: int
) -> Sequence[Row[str, str, int, str | None]]:
    """Return ID, name, size and object key of undamaged files whose names start with ``stem`` and a dot, by name."""
    statement = select(Node.id, Node.name, Node.size, Node.object_key).where(
        Node.owner_id == owner_id,
        literal(folder_id or "", String) == FOLDER_KEY,
        Node.trashed_at.is_(None),
        # The slash follows the dot in byte order, and no name contains one.
        Node.name > f"{stem}.",
        Node.name < f"{stem}/",
        Node.kind == FILE,
        Node.object_key.is_not(None),
        Node.damage.is_(None),
    )
    return (await tx.session.execute(statement.order_by(Node.name).limit(limit))).all()
