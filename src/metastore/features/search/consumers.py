"""What the index listens to: everything that changes what an owner's lists show."""

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
from metastore.features.search.service import SearchService
from metastore.kit.consumer import AfterCommit, Consumer
from metastore.kit.database import Transaction
from metastore.kit.facts import Fact
from metastore.kit.outbox import RecordedEvent
from metastore.kit.schema import Schema

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
    FolderMoved,
    FolderPurged,
)
"""Facts after which one node is to be looked up anew."""
WHOLE_TREE: tuple[type[Fact], ...] = (FolderTrashed, FolderRestored)
"""Facts after which all below a folder is."""


class _About(Schema):
    """Which node a fact of the files feature is about; one of the ids is there."""

    owner_id: str
    file_id: str = ""
    folder_id: str = ""

    @property
    def node_id(self) -> str:
        return self.file_id or self.folder_id


def consumers(search: SearchService) -> list[Consumer]:
    """The feature's consumers."""

    async def on_node(tx: Transaction, event: RecordedEvent) -> AfterCommit | None:
        about = _About.model_validate(event.payload)
        await search.refresh(tx, about.owner_id, about.node_id)
        return None

    async def on_tree(tx: Transaction, event: RecordedEvent) -> AfterCommit | None:
        about = _About.model_validate(event.payload)
        await search.refresh_tree(tx, about.owner_id, about.node_id)
        return None

    handlers = {
        **dict.fromkeys((fact.event_type for fact in ONE_NODE), on_node),
        **dict.fromkeys((fact.event_type for fact in WHOLE_TREE), on_tree),
    }
    return [Consumer("indexing", in_transaction=handlers)]
