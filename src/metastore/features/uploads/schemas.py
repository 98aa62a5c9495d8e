"""API shapes of uploads."""

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from metastore.features.files.schemas import FileOut
from metastore.kit.api.schema import Input, Schema, Timestamp
from metastore.kit.problems.problem_document import ProblemDocument

Visibility = Literal["PRIVATE", "PUBLIC"]


class InitiateIn(Input):
    """The file to upload: its folder ``path`` (created if missing), ``name`` and exact ``size`` in bytes."""

    name: str = Field(min_length=1, max_length=1024)
    path: str = Field(default="/", max_length=16384)
    size: int = Field(ge=0)
    mime_type: str = Field(default="application/octet-stream", max_length=255)
    visibility: Visibility = "PRIVATE"


class PartIn(Input):
    """A part that the client has sent, with the ETag that it received."""

    part_number: int
    etag: str = Field(max_length=200)


class CompleteIn(Input):
    """All parts of an upload, in order."""

    file_id: str = Field(max_length=36)
    upload_id: str = Field(max_length=36)
    parts: list[PartIn] = Field(max_length=10_000)


class InitiateOut(Schema):
    """A new upload. ``upload_urls[i]`` accepts part ``i + 1`` until ``expires_at``."""

    file_id: str
    upload_id: str
    part_size: int
    upload_urls: list[str]
    expires_at: Timestamp


class PartOut(Schema):
    """A part that the store holds."""

    part_number: int
    etag: str
    size: int


class UploadOut(InitiateOut):
    """An upload to resume: the parts received so far and new URLs."""

    size: int
    parts: list[PartOut]


class UnfinishedUpload(Schema):
    """An upload that can be resumed or aborted.

    ``received_bytes`` is what the object store holds of it; ``None`` when the store does not respond.
    """

    file_id: str
    upload_id: str
    name: str
    path: str
    size: int
    part_size: int
    received_bytes: int | None
    created_at: Timestamp
    expires_at: Timestamp


class UploadedFileOut(Schema):
    """The uploaded file."""

    file: FileOut


class StoredItem(Schema):
    """A file of a batch that was stored; ``name`` is its path as it was sent."""

    name: str
    file: FileOut


class RefusedItem(Schema):
    """A file of a batch that was not stored, and why; ``name`` is its path as it was sent."""

    name: str
    problem: ProblemDocument


class BatchOut(Schema):
    """The outcomes of a batch, in the order in which the files were sent."""

    items: Sequence[StoredItem | RefusedItem]
