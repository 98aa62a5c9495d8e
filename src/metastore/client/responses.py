"""Models of the server's responses.

They contain only the fields that the client needs and ignore others, so that older and newer servers are supported.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class ResponseModel(BaseModel):
    """Base class: camelCase in JSON."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)


class RemoteFile(ResponseModel):
    """A file on the server. ``path`` includes its name; ``size`` is in bytes."""

    kind: Literal["file"] = "file"
    id: str
    name: str
    path: str
    size: int
    status: str
    checksum: str | None = None


class RemoteFolder(ResponseModel):
    """A folder on the server."""

    kind: Literal["folder"] = "folder"
    id: str
    name: str
    path: str


class Listing(ResponseModel):
    """A page of a folder's contents. ``folder`` is ``None`` for the root."""

    items: list[Annotated[RemoteFile | RemoteFolder, Field(discriminator="kind")]]
    next_cursor: str | None = None
    folder: RemoteFolder | None = None


class ReceivedPart(ResponseModel):
    """A part that was uploaded."""

    part_number: int
    etag: str


class OpenUpload(ResponseModel):
    """An unfinished upload. ``upload_urls[i]`` is for part ``i + 1``; ``parts`` are those that were uploaded."""

    file_id: str
    upload_id: str
    part_size: int
    upload_urls: list[str]
    parts: list[ReceivedPart] = []


class UnfinishedUpload(ResponseModel):
    """An unfinished upload in a list. ``path`` is that of its folder."""

    file_id: str
    upload_id: str
    name: str
    path: str
    size: int


class UnfinishedUploads(ResponseModel):
    """A page of unfinished uploads."""

    items: list[UnfinishedUpload]
    next_cursor: str | None = None


class FileResponse(ResponseModel):
    """The response to the completion of an upload."""

    file: RemoteFile


class BatchProblem(ResponseModel):
    """Why a file of a batch was not stored: a problem document (RFC 9457)."""

    status: int = 500
    title: str = ""
    detail: str = ""
    code: str = ""


class BatchItem(ResponseModel):
    """What became of one file of a batch: one of the two is set."""

    file: RemoteFile | None = None
    problem: BatchProblem | None = None


class BatchResponse(ResponseModel):
    """The response to a batch, in the order of its files."""

    items: list[BatchItem]


class Account(ResponseModel):
    """A user account."""

    username: str


class AccountResponse(ResponseModel):
    """The response to sign-in."""

    user: Account


class ProblemDocument(ResponseModel):
    """A problem document (RFC 9457)."""

    title: str = ""
    detail: str = ""
    code: str = ""
