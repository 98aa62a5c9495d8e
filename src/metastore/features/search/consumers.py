"""What the index listens to: everything that changes what an owner's lists show.

A folder that is moved, thrown away or taken back takes along all that lies below it, which may be thousands of nodes.
They are refreshed a few at a time, each time in a transaction of its own, so that nobody waits long for the database.
Cut off in between and told again, it begins anew, which is harmless: a node is always looked up as it is by then.
"""

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
from metastore.features.search.service import AT_ONCE, SearchService
from metastore.kit.consumer import AfterCommit, Consumer
from metastore.kit.database import Database, Transaction
from metastore.kit.facts import Fact
from metastore.kit.outbox import RecordedEvent
from metastore.kit.schema import Schema
from metastore.ports.realtime import Realtime

_log = structlog.get_logger(__name__)

INDEXED = "search.indexed"
"""The Socket.IO event sent to an owner when a search can return something new. Its payload is an empty object."""
ONE_NODE: tuple[type[Fact], ...] = (
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
"""Facts after which one node is to be looked up anew."""
WHOLE_TREE: tuple[type[Fact], ...] = (FolderMoved, FolderTrashed, FolderRestored)
"""Facts after which all below a folder is."""


class _About(Schema):
    """Which node a fact of the files feature is about; one of the ids is there."""

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

    async def on_node(tx: Transaction, event: RecordedEvent) -> AfterCommit | None:
        about = _About.model_validate(event.payload)
        await search.refresh(tx, about.owner_id, [about.node_id])
        return partial(notify, about.owner_id)

    async def on_tree(event: RecordedEvent) -> None:
        about = _About.model_validate(event.payload)
        async with database.reading() as tx:
            tree = await search.tree_of(tx, about.node_id)
        for start in range(0, len(tree), AT_ONCE):
            async with database.transaction() as tx:
                await search.refresh(tx, about.owner_id, tree[start : start + AT_ONCE])
        try:
            await notify(about.owner_id)
        except Exception as error:  # noqa: BLE001  only a hint for open screens: the index itself is up to date
            _log.info("search.indexed was not sent", error=repr(error), folder_id=about.node_id)

    return [
        Consumer(
            "indexing",
            in_transaction=dict.fromkeys((fact.event_type for fact in ONE_NODE), on_node),
            outside=dict.fromkeys((fact.event_type for fact in WHOLE_TREE), on_tree),
        )
    ]
