"""Consumers that keep the search index up to date: every event that changes what an owner's lists show.

Moving, trashing or restoring a folder affects everything below it, which may be thousands of nodes. They are refreshed
in batches, each in its own transaction, so that other writers do not wait long. An interrupted event is handled from
the start when it is redelivered, which is harmless: the current state of each node is read again.
"""

from collections import defaultdict
from collections.abc import Sequence
from functools import partial

import structlog

from metastore.features.files.events import (
    FileMoved,
    FilePurged,
    FileReady,
    FileRenamed,
    FileRestored,
    FileTrashed,
    FileUploaded,
    FileVisibilityChanged,
    FolderCreated,
    FolderMoved,
    FolderPurged,
    FolderRenamed,
    FolderRestored,
    FolderTrashed,
)
from metastore.features.search.service import BATCH_SIZE, SearchService
from metastore.kit.api.schema import Schema
from metastore.kit.database.unit_of_work import Database, Transaction
from metastore.kit.events.consumer import AfterCommit, Consumer
from metastore.kit.events.event import Event
from metastore.kit.events.outbox import RecordedEvent
from metastore.ports.realtime import Realtime

_log = structlog.get_logger(__name__)

INDEXED = "search.indexed"
"""The Socket.IO event sent to an owner when a search can return something new, once for the changes that are indexed
together. Its payload is an empty object."""
NODE_EVENTS: tuple[type[Event], ...] = (
    FileUploaded,
    FileReady,
    FileRenamed,
    FileMoved,
    FileVisibilityChanged,
    FileTrashed,
    FileRestored,
    FilePurged,
    FolderCreated,
    FolderRenamed,
    FolderPurged,
)
"""Events that affect a single node."""
SUBTREE_EVENTS: tuple[type[Event], ...] = (FolderMoved, FolderTrashed, FolderRestored)
"""Events that affect a folder and everything below it."""


class _NodeReference(Schema):
    """The part of an event of the files feature that identifies its node; one of the two IDs is set."""

    owner_id: str
    file_id: str = ""
    folder_id: str = ""

    @property
    def node_id(self) -> str:
        return self.file_id or self.folder_id


def consumers(search: SearchService, database: Database, realtime: Realtime) -> list[Consumer]:
    """Return the feature's consumers.

    ``database`` holds the index. The owner's open screens get ``search.indexed`` through ``realtime`` once a change can
    be found.
    """

    async def notify(owner_id: str) -> None:
        await realtime.emit_to_user(owner_id, INDEXED, {})

    async def on_nodes(tx: Transaction, events: Sequence[RecordedEvent]) -> Sequence[AfterCommit]:
        changed: defaultdict[str, set[str]] = defaultdict(set)
        for event in events:
            node = _NodeReference.model_validate(event.payload)
            changed[node.owner_id].add(node.node_id)
        await search.refresh_several(tx, changed)
        return [partial(notify, owner_id) for owner_id in changed]

    async def on_subtree(event: RecordedEvent) -> None:
        folder = _NodeReference.model_validate(event.payload)
        async with database.reading() as tx:
            node_ids = await search.subtree_ids(tx, folder.node_id)
        for start in range(0, len(node_ids), BATCH_SIZE):
            async with database.transaction() as tx:
                await search.refresh(tx, folder.owner_id, node_ids[start : start + BATCH_SIZE])
        try:
            await notify(folder.owner_id)
        except Exception as error:  # noqa: BLE001  only a hint for open screens: the index itself is up to date
            _log.info("search.indexed not sent", error=repr(error), folder_id=folder.node_id)

    return [
        Consumer(
            "indexing",
            in_batches=dict.fromkeys((event.event_type for event in NODE_EVENTS), on_nodes),
            outside=dict.fromkeys((event.event_type for event in SUBTREE_EVENTS), on_subtree),
        )
    ]
