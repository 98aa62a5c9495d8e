"""Nodes by ID, for other features that refer to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue

from metastore.features.auth.schemas import Caller
from metastore.features.files.content.processing import sagas_of
from metastore.features.files.listing import node_lookup_queries
from metastore.features.files.listing.node_lookup_queries import OwnedRow, nodes_with_owner
from metastore.features.files.models import READY, UPLOADING
from metastore.features.files.representation.node_urls import NO_URLS, NodeUrlResolver
from metastore.features.files.representation.serialization import node_json
from metastore.features.files.tree.access import authorize_many
from metastore.features.files.tree.names import split_suffix
from metastore.kit.database.unit_of_work import Transaction
from metastore.kit.ids import is_id


@dataclass(frozen=True, slots=True)
class NodeState:
    """The current state of a file or folder.

    ``listed`` is whether its owner sees it in a folder: it is not in the trash, and all its bytes are stored.
    """

    id: str
    owner_id: str
    kind: str
    name: str
    mime_type: str
    updated_at: datetime
    listed: bool


async def node_states(tx: Transaction, node_ids: Sequence[str]) -> list[NodeState]:
    """Return the states of the nodes with these IDs that exist."""
    return [_state(row) for row in await nodes_with_owner(tx, node_ids)]


@dataclass(frozen=True, slots=True)
class StreamableFile:
    """A file that can be played: it is marked as playable, not in the trash and not damaged.

    ``processed`` is whether its processing has ended, so that no more renditions will be added.
    """

    id: str
    owner_id: str
    folder_id: str | None
    name: str
    thumbnail_key: str | None
    processed: bool


@dataclass(frozen=True, slots=True)
class Sidecar:
    """A file in the same folder as another that belongs to it by its name; ``size`` in bytes."""

    id: str
    name: str
    size: int
    object_key: str


async def streamable_file(tx: Transaction, file_id: str) -> StreamableFile | None:
    """Return the file, whatever its owner, if it can be played."""
    row = await node_lookup_queries.playable(tx, file_id) if is_id(file_id) else None
    return StreamableFile(*row[:-1], processed=row[-1] == READY) if row else None


async def sidecars_of(tx: Transaction, file: StreamableFile, *, limit: int) -> list[Sidecar]:
    """Return other files in the file's folder whose names start with the file's stem and a dot."""
    stem = split_suffix(file.name)[0]
    rows = await node_lookup_queries.with_stem(tx, file.owner_id, file.folder_id, stem, limit=limit)
    return [Sidecar(node_id, name, size, key) for node_id, name, size, key in rows if key and node_id != file.id]


async def descendant_ids(tx: Transaction, folder_id: str) -> list[str]:
    """Return the IDs of a folder and of everything below it, in the trash or not."""
    return await node_lookup_queries.descendant_ids(tx, folder_id)


async def nodes_as_json(
    tx: Transaction, caller: Caller, node_ids: Sequence[str], urls: NodeUrlResolver | None = None
) -> dict[str, dict[str, JsonValue]]:
    """Return nodes as lists show them, by ID.

    Those that the caller has no access to, or that are in the trash, are left out.
    """
    rows = [access.node for access in (await authorize_many(tx, caller, node_ids)).values()]
    sagas = await sagas_of(tx, rows)
    found_urls = await urls.resolve(rows) if urls else {}
    found = {}
    for row in rows:
        found[row.id] = node_json(row, row.folder_path, saga=sagas.get(row.id), urls=found_urls.get(row.id, NO_URLS))
    return found


def _state(row: OwnedRow) -> NodeState:
    node = row.node
    listed = node.trashed_at is None and node.status != UPLOADING
    return NodeState(node.id, row.owner_id, node.kind, node.name, node.mime_type, node.updated_at, listed)
