"""API shapes of files, folders and the trash."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from metastore.kit.paging import Limit
from metastore.kit.schema import Input, Reason, Schema, Timestamp

Status = Literal["UPLOADING", "PROCESSING", "READY", "FAILED"]
Visibility = Literal["PRIVATE", "PUBLIC"]
Moderation = Literal["NONE", "PENDING", "APPROVED", "REJECTED"]
SortKey = Literal["name", "size", "createdAt", "updatedAt"]
SortOrder = Literal["asc", "desc"]


class Processing(Schema):
    """How far a file's processing is: its ``step``, and how much of that is done, in percent.

    ``error`` is a sentence for people, and ``reasonCode`` the same for programs; it is null for files that failed
    before there were codes. ``retryable`` says whether ``POST /files/{id}/retry`` can help.
    """

    step: str | None = None
    state: Literal["PENDING", "RUNNING", "DONE", "FAILED"]
    progress: int
    error: str | None = None
    reason_code: Reason = None
    retryable: bool = False


class FileOut(Schema):
    """A file. ``path`` is that of the file itself; ``checksum`` is ``algorithm[-blocksize]:hex``."""

    kind: Literal["file"] = "file"
    id: str
    name: str
    path: str
    parent_id: str | None
    size: int
    mime_type: str
    status: Status
    visibility: Visibility
    moderation: Moderation
    checksum: str | None
    created_at: Timestamp
    updated_at: Timestamp
    thumbnail_url: str | None = None
    stream_url: str | None = None
    processing: Processing


class FolderOut(Schema):
    """A folder."""

    kind: Literal["folder"] = "folder"
    id: str
    name: str
    path: str
    parent_id: str | None
    created_at: Timestamp
    updated_at: Timestamp


class Crumb(Schema):
    """A folder on the way from the root to the one that is shown."""

    id: str
    name: str


class FolderListing(Schema):
    """One page of a folder: folders first, then files. ``folder`` is ``None`` for the root."""

    items: Sequence[Annotated[FileOut | FolderOut, Field(discriminator="kind")]]
    next_cursor: str | None = None
    folder: FolderOut | None = None
    breadcrumb: Sequence[Crumb] = ()


class FolderQuery(BaseModel):
    """Which folder to list (by path or id, the root without either), in which order, from where on."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)

    path: str | None = None
    parent_id: str | None = None
    sort: SortKey = "name"
    order: SortOrder = "asc"
    limit: Limit = 50
    cursor: str | None = None

    @model_validator(mode="after")
    def _one_way(self) -> "FolderQuery":
        if self.path is not None and self.parent_id is not None:
            raise ValueError("name the folder by path or by parentId, not by both")
        return self


class TrashedFile(FileOut):
    """A file in the trash; ``path`` is where it was."""

    trashed_at: Timestamp


class TrashedFolder(FolderOut):
    """A folder in the trash, with all that was in it; ``path`` is where it was."""

    trashed_at: Timestamp


class TrashListing(Schema):
    """One page of the trash, latest first."""

    items: Sequence[Annotated[TrashedFile | TrashedFolder, Field(discriminator="kind")]]
    next_cursor: str | None = None


class FolderIn(Input):
    """A folder to be made; without ``parent_id`` in the root."""

    name: str
    parent_id: str | None = None


class FolderPatch(Input):
    """What is to change; an absent field stays, ``parentId: null`` moves to the root."""

    name: str | None = None
    parent_id: str | None = None

    @model_validator(mode="after")
    def _values(self) -> "FolderPatch":
        for field in self.model_fields_set - {"parent_id"}:
            if getattr(self, field) is None:
                raise ValueError(f"{field} must not be null")
        return self

    @property
    def moves(self) -> bool:
        """Whether ``parent_id`` was given, be it null."""
        return "parent_id" in self.model_fields_set


class FilePatch(FolderPatch):
    """As for folders, and the file's visibility."""

    visibility: Visibility | None = None
