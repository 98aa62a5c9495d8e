"""SQL statements that read nodes by their ids, wherever they lie."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import select

from metastore.features.files.models import SHOWN_COLUMNS, Node, NodeRow
from metastore.kit.database import Transaction


class OwnedRow(NamedTuple):
    """A node and whose it is."""

    owner_id: str
    node: NodeRow


async def rows_of(tx: Transaction, node_ids: Sequence[str]) -> list[OwnedRow]:
    """The nodes of these ids; of those that are gone, nothing."""
    statement = select(Node.owner_id, *SHOWN_COLUMNS).where(Node.id.in_(node_ids))
    return [OwnedRow(owner, NodeRow._make(row)) for owner, *row in await tx.session.execute(statement)]


async def ids_below(tx: Transaction, folder_id: str) -> list[str]:
    """A folder and all that lies below it, in the trash or not."""
    below = select(Node.id).where(Node.id == folder_id).cte("below", recursive=True)
    below = below.union_all(select(Node.id).join(below, Node.parent_id == below.c.id))
    return list(await tx.session.scalars(select(below.c.id)))
