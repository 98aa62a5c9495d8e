"""Nodes with the paths of their folders, read in one statement; for reads that answer a request."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Text, cast, func, literal_column, select

from metastore.features.files.models import LISTED_COLUMNS, LocatedNode, Node
from metastore.kit.database.query import Query, Statement, one_of
from metastore.kit.database.unit_of_work import Transaction


async def located_nodes(tx: Transaction, node_ids: Sequence[str]) -> list[LocatedNode]:
    """Return the nodes with these IDs that exist, whatever their owners, in the trash or not."""
    return await tx.fetch(_LOCATED, ids=list(node_ids)) if node_ids else []


def _statement(dialect: str) -> Statement:
    """Return the statement that climbs from each node to the root, and collects the names on the way."""
    nothing: ColumnElement[str] = cast(literal_column("''"), Text)
    if dialect == "postgresql":
        nothing = nothing.collate("C")  # that of names, which the rows to come have
    up = (
        select(Node.id.label("start"), Node.parent_id.label("parent_id"), nothing.label("path"))
        .where(one_of(Node.id, "ids", dialect))
        .cte("up", recursive=True)
    )
    slash: ColumnElement[str] = literal_column("'/'", Text)
    up = up.union_all(
        select(up.c.start, Node.parent_id, slash.concat(Node.name).concat(up.c.path)).where(Node.id == up.c.parent_id)
    )
    columns = (*LISTED_COLUMNS, Node.owner_id, Node.version, Node.object_key, Node.trash_state)
    folder_path = func.coalesce(func.nullif(up.c.path, literal_column("''")), slash)
    return select(*columns, folder_path).join(up, up.c.start == Node.id).where(up.c.parent_id.is_(None))


_LOCATED = Query(LocatedNode, _statement)
