"""API shapes of files, folders and the trash."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from metastore.kit.api.paging import Limit
from metastore.kit.api.schema import Input, Reason, Schema, Timestamp

Status = Literal["UPLOADING", "PROCESSING", "READY", "FAILED"]
Visibility = Literal["PRIVATE", "PUBLIC"]
Moderation = Literal["NONE", "PENDING", "APPROVED", "REJECTED"]
SortKey = Literal["name", "size", "createdAt", "updatedAt"]
SortOrder = Literal["asc", "desc"]


class Processing(Schema):
    """The state of a file's processing: its current ``step``, and the progress of that step in percent.

    ``error`` says in a sentence why processing failed, ``reasonCode`` in a code. The code is null for files that failed
    before there were codes. ``retryable`` says whether ``POST /files/{id}/retry`` can help.
    """

    step: str | None = None
    state: Literal["PENDING", "RUNNING", "DONE", "FAILED"]
    progress: int
    error: str | None = None
    reason_code: Reason = None
    retryable: bool = False


class FileOut(Schema):
    """A file. ``path`` is its own path; ``checksum`` has the form ``algorithm[-blocksize]:hex``."""

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
    """An ancestor of the listed folder, or the folder itself."""

    id: str
    name: str


class FolderListing(Schema):
    """A page of a folder: folders first, then files. ``folder`` is ``None`` for the root."""

    items: Sequence[Annotated[FileOut | FolderOut, Field(discriminator="kind")]]
    next_cursor: str | None = None
    folder: FolderOut | None = None
    breadcrumb: Sequence[Crumb] = ()


class FolderQuery(BaseModel):
    """The folder to list (by path or ID, otherwise the root), the order, and where to continue."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)

    path: str | None = None
    parent_id: str | None = None
    sort: SortKey = "name"
    order: SortOrder = "asc"
    limit: Limit = 50
    cursor: str | None = None

    @model_validator(mode="after")
    def _path_or_id(self) -> "FolderQuery":
        if self.path is not None and self.parent_id is not None:
            raise ValueError("name the folder by path or by parentId, not by both")
        return self


class TrashedFile(FileOut):
    """A file in the trash; ``path`` is its former path."""

    trashed_at: Timestamp


class TrashedFolder(FolderOut):
    """A folder in the trash with everything in it; ``path`` is its former path."""

    trashed_at: Timestamp


class TrashListing(Schema):
    """A page of the trash, latest first."""

    items: Sequence[Annotated[TrashedFile | TrashedFolder, Field(discriminator="kind")]]
    next_cursor: str | None = None


class FolderIn(Input):
    """A folder to create; in the root if ``parent_id`` is absent."""

    name: str
    parent_id: str | None = None


class FolderPatch(Input):
    """Changes to a folder. Absent fields are left alone; ``parentId: null`` moves the folder to the root."""

    name: str | None = None
    parent_id: str | None = None

    @model_validator(mode="after")
    def _not_null(self) -> "FolderPatch":
        for field in self.model_fields_set - {"parent_id"}:
            if getattr(self, field) is None:
                raise ValueError(f"{field} must not be null")
        return self

    @property
    def moves(self) -> bool:
        """Whether ``parent_id`` was given, even if null."""
        return "parent_id" in self.model_fields_set


class FilePatch(FolderPatch):
    """Changes to a file: those of a folder, and its visibility."""

    visibility: Visibility | None = None
