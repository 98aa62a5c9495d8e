"""Events published by the archives feature."""

from typing import ClassVar

from metastore.kit.events.event import Event


class ArchiveDownloaded(Event):
    """A download URL was issued for an archive of ``count`` files and folders, in or below ``node_ids``."""

    event_type: ClassVar[str] = "archive.downloaded"
    archive_id: str
    owner_id: str
    name: str
    size: int
    count: int
    node_ids: tuple[str, ...]

    def aggregate(self) -> str:
        """The archive."""
        return f"archive:{self.archive_id}"
