"""Nodes as they are now, for features that keep something about them beside."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue

from metastore.features.files import lookup_queries, names, processing, repository, tree
from metastore.features.files.addresses import NO_URLS, Addresses
from metastore.features.files.lookup_queries import OwnedRow
from metastore.features.files.models import READY, UPLOADING
from metastore.features.files.presentation import node_json
from metastore.kit.database import Transaction
from metastore.kit.ids import is_id


@dataclass(frozen=True, slots=True)
class NodeState:
    """What is known of a file or folder; ``listed`` says whether its owner sees it in a folder with all its bytes."""

    id: str
    owner_id: str
    kind: str
    name: str
    mime_type: str
    updated_at: datetime
    listed: bool


async def states_of(tx: Transaction, node_ids: Sequence[str]) -> list[NodeState]:
    """Files and folders of these ids; those that are gone are left out."""
    return [_state(row) for row in await lookup_queries.rows_of(tx, node_ids)]


@dataclass(frozen=True, slots=True)
class StreamedFile:
    """A file that may be streamed: it has something to play, lies in no trash, and its bytes are sound.

    ``settled`` tells that nothing more will be made of it.
    """

    id: str
    owner_id: str
    folder_id: str | None
    name: str
    thumbnail_key: str | None
    settled: bool


@dataclass(frozen=True, slots=True)
class Sidecar:
    """A file that lies beside another and belongs to it by its name; ``size`` in bytes."""

    id: str
    name: str
    size: int
    object_key: str


async def streamed(tx: Transaction, file_id: str) -> StreamedFile | None:
    """The file, whoever owns it, if it may be streamed."""
    row = await lookup_queries.playable(tx, file_id) if is_id(file_id) else None
    return StreamedFile(*row[:-1], settled=row[-1] == READY) if row else None


async def beside(tx: Transaction, file: StreamedFile, *, limit: int) -> list[Sidecar]:
    """Files of the same folder whose names begin with the file's own, less its suffix, and a dot; without itself."""
    stem = names.split_suffix(file.name)[0]
    rows = await lookup_queries.named_after(tx, file.owner_id, file.folder_id, stem, limit=limit)
    return [Sidecar(node_id, name, size, key) for node_id, name, size, key in rows if key and node_id != file.id]


async def ids_below(tx: Transaction, folder_id: str) -> list[str]:
    """The ids of a folder and of all that lies below it, in the trash or not."""
    return await lookup_queries.ids_below(tx, folder_id)


async def shown(
    tx: Transaction, owner_id: str, node_ids: Sequence[str], addresses: Addresses | None = None
) -> dict[str, dict[str, JsonValue]]:
    """By id what a list of the owner's would show of these; without what is not theirs, gone or in the trash."""
    rows = [
        row.node
        for row in await lookup_queries.rows_of(tx, node_ids)
        if row.owner_id == owner_id and row.node.trashed_at is None
    ]
    ways = await repository.way_to(tx, [row.parent_id for row in rows if row.parent_id])
    sagas = await processing.sagas_of(tx, rows)
    urls = await addresses.of(rows) if addresses else {}
    found = {}
    for row in rows:
        path = tree.path_along(ways.get(row.parent_id or "", []))
        found[row.id] = node_json(row, path, saga=sagas.get(row.id), urls=urls.get(row.id, NO_URLS))
    return found


def _state(row: OwnedRow) -> NodeState:
    node = row.node
    listed = node.trashed_at is None and node.status != UPLOADING
    return NodeState(node.id, row.owner_id, node.kind, node.name, node.mime_type, node.updated_at, listed)
