"""Facts that the uploads feature publishes.

The arrival of the file itself is ``file.uploaded`` of the files feature.
"""

from typing import ClassVar

from metastore.kit.facts import Fact


class _UploadFact(Fact):
    upload_id: str
    file_id: str
    owner_id: str
    size: int

    def aggregate(self) -> str:
        """The file."""
        return f"file:{self.file_id}"


class UploadInitiated(_UploadFact):
    """Space was reserved and the parts may come."""

    event_type: ClassVar[str] = "upload.initiated"
    name: str


class UploadAborted(_UploadFact):
    """The upload is over without a file; what the store holds of it is to be removed."""

    event_type: ClassVar[str] = "upload.aborted"
    reason: str
    object_key: str
    store_upload_id: str | None
