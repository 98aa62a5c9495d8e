"""SQL statements that place many new files and folders at once.

Each takes its wanted places as one JSON parameter, so that it is built once, however many places there are.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import orjson
from sqlalchemy import TextClause, insert, text

from metastore.features.files.models import Node
from metastore.kit.database.command import Nothing, RowInsert
from metastore.kit.database.query import Query
from metastore.kit.database.tables import table_of
from metastore.kit.database.unit_of_work import Transaction

Place = tuple[str, str]
"""The ID of a folder, empty for the root, and a name in it."""


class _Found(NamedTuple):
    parent: str
    name: str
    id: str
    kind: str


class _Named(NamedTuple):
    parent: str
    name: str


async def find_places(tx: Transaction, owner_id: str, places: Iterable[Place]) -> dict[Place, tuple[str, str]]:
    """Return the ID and kind of the nodes that are at these places and not in the trash."""
    wanted = orjson.dumps(list(places)).decode()
    return {
        (row.parent, row.name): (row.id, row.kind) for row in await tx.fetch(_PLACES, owner=owner_id, wanted=wanted)
    }


async def numbered_names(tx: Transaction, owner_id: str, prefixes: Iterable[Place]) -> set[Place]:
    """Return the places whose names start with a prefix and a parenthesis, in the prefix's folder."""
    wanted = orjson.dumps([(parent, f"{prefix}(", f"{prefix})") for parent, prefix in prefixes]).decode()
    return set(await tx.fetch(_NUMBERED, owner=owner_id, wanted=wanted))


async def insert_nodes(tx: Transaction, rows: Sequence[Mapping[str, object]]) -> None:
    """Insert nodes with the same columns, parents before children.

    Raises:
        IntegrityError: a name is taken. It is raised on PostgreSQL only: SQLite has a single writer.
    """
    await tx.execute_soon(_INSERT, rows)


def _joined(dialect: str, columns: str, condition: str) -> TextClause:
    # CROSS JOIN makes SQLite search the index for each wanted place, and not the other way round.
    if dialect == "sqlite":
        source = "json_each(:wanted) AS wanted CROSS JOIN nodes"
        member = "json_extract(wanted.value, '$[{}]')"
    else:
        source = "json_array_elements(CAST(:wanted AS json)) AS wanted CROSS JOIN nodes"
        member = "(wanted.value ->> {})"
    members = [member.format(number) for number in range(3)]
    selected = columns.replace("place", members[0], 1)
    return text(
        f"SELECT {selected} FROM {source} WHERE nodes.owner_id = :owner"  # noqa: S608  built from constants
        f" AND coalesce(nodes.parent_id, '') = {members[0]} AND {condition.format(*members)}"
        " AND nodes.trashed_at IS NULL"
    )


_INSERT = RowInsert(Nothing, insert(table_of(Node)))
_PLACES = Query(_Found, lambda dialect: _joined(dialect, "place, nodes.name, nodes.id, nodes.kind", "nodes.name = {1}"))
_NUMBERED = Query(
    _Named,
    lambda dialect: _joined(dialect, "DISTINCT place, nodes.name", "nodes.name >= {1} AND nodes.name < {2}"),
)
