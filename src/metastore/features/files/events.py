"""Facts that the files feature publishes."""

from typing import ClassVar

from metastore.kit.facts import Fact
from metastore.kit.schema import Reason


class _FolderFact(Fact):
    folder_id: str
    owner_id: str
    name: str

    def aggregate(self) -> str:
        """The folder."""
        return f"folder:{self.folder_id}"


class FolderCreated(_FolderFact):
    """A folder was made."""

    event_type: ClassVar[str] = "folder.created"
    parent_id: str | None


class FolderRenamed(_FolderFact):
    """A folder has a new ``name``."""

    event_type: ClassVar[str] = "folder.renamed"
    old_name: str


class FolderMoved(_FolderFact):
    """A folder lies elsewhere, with all that is in it."""

    event_type: ClassVar[str] = "folder.moved"
    parent_id: str | None
    old_parent_id: str | None


class FolderTrashed(_FolderFact):
    """A folder was put in the trash, with all below it."""

    event_type: ClassVar[str] = "folder.trashed"


class FolderRestored(_FolderFact):
    """A folder came back from the trash, with all that went along."""

    event_type: ClassVar[str] = "folder.restored"
    parent_id: str | None


class FolderPurged(_FolderFact):
    """A folder is gone for good; whatever was in it has a fact of its own."""

    event_type: ClassVar[str] = "folder.purged"


class _FileFact(Fact):
    file_id: str
    owner_id: str
    name: str

    def aggregate(self) -> str:
        """The file."""
        return f"file:{self.file_id}"


class FileUploaded(_FileFact):
    """All bytes of a file have arrived; ``path`` is that of the file."""

    event_type: ClassVar[str] = "file.uploaded"
    path: str
    size: int
    mime_type: str
    object_key: str


class FileReady(_FileFact):
    """A file can be used: its processing is over, or it needed none."""

    event_type: ClassVar[str] = "file.ready"
    path: str
    size: int
    mime_type: str


class FileFailed(_FileFact):
    """A file did not become ready; ``reason`` is a sentence for its owner, ``reason_code`` the same as a code.

    ``step`` is where it failed. After the step ``store`` its bytes are there and can be downloaded; before or at it,
    nothing of it is left. ``retryable`` tells whether its processing can be run again.
    """

    event_type: ClassVar[str] = "file.failed"
    step: str
    reason: str
    reason_code: Reason = None
    retryable: bool


class FileDamaged(_FileFact):
    """A check found that a file's bytes are gone or not what they were; ``reason`` says what is wrong."""

    event_type: ClassVar[str] = "file.damaged"
    reason: str


class FileRecovered(_FileFact):
    """A file that was found damaged has its bytes again."""

    event_type: ClassVar[str] = "file.recovered"


class FileRenamed(_FileFact):
    """A file has a new ``name``."""

    event_type: ClassVar[str] = "file.renamed"
    old_name: str


class FileMoved(_FileFact):
    """A file lies elsewhere."""

    event_type: ClassVar[str] = "file.moved"
    parent_id: str | None
    old_parent_id: str | None


class FileVisibilityChanged(_FileFact):
    """The visibility of a file was changed."""

    event_type: ClassVar[str] = "file.visibility_changed"
    visibility: str


class FileTrashed(_FileFact):
    """A file was put in the trash by itself."""

    event_type: ClassVar[str] = "file.trashed"


class FileRestored(_FileFact):
    """A file came back from the trash by itself."""

    event_type: ClassVar[str] = "file.restored"
    parent_id: str | None


class FilePurged(_FileFact):
    """A file is gone for good; ``status`` is the one it had.

    ``object_key`` is what is to be deleted, and ``derived_keys`` what had been made of it.
    """

    event_type: ClassVar[str] = "file.purged"
    size: int
    status: str
    object_key: str | None
    derived_keys: tuple[str, ...] = ()


class FileDownloaded(_FileFact):
    """Somebody was given a URL to a file's bytes."""

    event_type: ClassVar[str] = "file.downloaded"
    size: int
