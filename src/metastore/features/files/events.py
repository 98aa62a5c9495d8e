"""Events published by the files feature."""

from typing import ClassVar

from metastore.kit.api.schema import Reason
from metastore.kit.events.event import Event


class _FolderEvent(Event):
    folder_id: str
    owner_id: str
    name: str

    def aggregate(self) -> str:
        """The folder."""
        return f"folder:{self.folder_id}"


class FolderCreated(_FolderEvent):
    """A folder was created."""

    event_type: ClassVar[str] = "folder.created"
    parent_id: str | None


class FolderRenamed(_FolderEvent):
    """A folder was renamed to ``name``."""

    event_type: ClassVar[str] = "folder.renamed"
    old_name: str


class FolderMoved(_FolderEvent):
    """A folder was moved with everything in it."""

    event_type: ClassVar[str] = "folder.moved"
    parent_id: str | None
    old_parent_id: str | None


class FolderTrashed(_FolderEvent):
    """A folder was moved to the trash with everything in it."""

    event_type: ClassVar[str] = "folder.trashed"


class FolderRestored(_FolderEvent):
    """A folder was restored from the trash with everything that was trashed along with it."""

    event_type: ClassVar[str] = "folder.restored"
    parent_id: str | None


class FolderPurged(_FolderEvent):
    """A folder was purged; everything in it has an event of its own."""

    event_type: ClassVar[str] = "folder.purged"


class _FileEvent(Event):
    file_id: str
    owner_id: str
    name: str

    def aggregate(self) -> str:
        """The file."""
        return f"file:{self.file_id}"


class FileUploaded(_FileEvent):
    """A file was uploaded completely; ``path`` is its own path."""

    event_type: ClassVar[str] = "file.uploaded"
    path: str
    size: int
    mime_type: str
    object_key: str


class FileReady(_FileEvent):
    """A file became READY: its processing succeeded, or it needed none."""

    event_type: ClassVar[str] = "file.ready"
    path: str
    size: int
    mime_type: str


class FileFailed(_FileEvent):
    """A file's upload or processing failed; ``reason`` says why in a sentence, ``reason_code`` in a code.

    ``step`` is the saga step that failed. After the step ``store``, the original exists and can be downloaded; at or
    before it, nothing of the file remains. ``retryable`` is whether processing can be retried.
    """

    event_type: ClassVar[str] = "file.failed"
    step: str
    reason: str
    reason_code: Reason = None
    retryable: bool


class FileDamaged(_FileEvent):
    """A check found that a file's object is missing or was changed; ``reason`` describes the damage."""

    event_type: ClassVar[str] = "file.damaged"
    reason: str


class FileRecovered(_FileEvent):
    """A check found a damaged file's object intact again."""

    event_type: ClassVar[str] = "file.recovered"


class FileRenamed(_FileEvent):
    """A file was renamed to ``name``."""

    event_type: ClassVar[str] = "file.renamed"
    old_name: str


class FileMoved(_FileEvent):
    """A file was moved to another folder."""

    event_type: ClassVar[str] = "file.moved"
    parent_id: str | None
    old_parent_id: str | None


class FileVisibilityChanged(_FileEvent):
    """A file's visibility was changed to ``visibility``."""

    event_type: ClassVar[str] = "file.visibility_changed"
    visibility: str


class FileTrashed(_FileEvent):
    """A file was moved to the trash by itself, not along with a folder."""

    event_type: ClassVar[str] = "file.trashed"


class FileRestored(_FileEvent):
    """A file was restored from the trash by itself, not along with a folder."""

    event_type: ClassVar[str] = "file.restored"
    parent_id: str | None


class FilePurged(_FileEvent):
    """A file was purged; ``status`` is the status it had.

    ``object_key`` and ``derived_keys`` are the objects to delete: the original and what was derived from it.
    """

    event_type: ClassVar[str] = "file.purged"
    size: int
    status: str
    object_key: str | None
    derived_keys: tuple[str, ...] = ()


class FileDownloaded(_FileEvent):
    """A download URL was issued for a file."""

    event_type: ClassVar[str] = "file.downloaded"
    size: int
