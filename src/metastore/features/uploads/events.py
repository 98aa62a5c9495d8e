"""Domain events of the uploads feature.

A completed upload is recorded by the files feature, as ``file.uploaded``.
"""

from typing import ClassVar

from metastore.kit.events.event import Event


class _UploadEvent(Event):
    upload_id: str
    file_id: str
    owner_id: str
    size: int

    def aggregate(self) -> str:
        """Return the file's aggregate."""
        return f"file:{self.file_id}"


class UploadInitiated(_UploadEvent):
    """Space was reserved, and the client may send parts."""

    event_type: ClassVar[str] = "upload.initiated"
    name: str


class UploadAborted(_UploadEvent):
    """The upload ended without a file. Its parts and object are to be removed from the store."""

    event_type: ClassVar[str] = "upload.aborted"
    reason: str
    object_key: str
    store_upload_id: str | None
