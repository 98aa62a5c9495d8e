"""What the client reads of the server's answers.

Lenient on purpose: only what is needed, and unknown fields are passed over, so that older and newer servers both do.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class Wire(BaseModel):
    """Base of all: camelCase in JSON."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)


class RemoteFile(Wire):
    """A file on the server; ``path`` is its own, ``size`` in bytes."""

    kind: Literal["file"] = "file"
    id: str
    name: str
    path: str
    size: int
    status: str
    checksum: str | None = None


class RemoteFolder(Wire):
    """A folder on the server."""

    kind: Literal["folder"] = "folder"
    id: str
    name: str
    path: str


class Listing(Wire):
    """One page of a folder; ``folder`` is ``None`` for the root."""

    items: list[Annotated[RemoteFile | RemoteFolder, Field(discriminator="kind")]]
    next_cursor: str | None = None
    folder: RemoteFolder | None = None


class ReceivedPart(Wire):
    """A part that the server holds."""

    part_number: int
    etag: str


class OpenUpload(Wire):
    """Where parts go: ``upload_urls[i]`` takes part ``i + 1``; ``parts`` are those that have arrived."""

    file_id: str
    upload_id: str
    part_size: int
    upload_urls: list[str]
    parts: list[ReceivedPart] = []


class UnfinishedUpload(Wire):
    """An upload that waits to be resumed; ``path`` is the folder's."""

    file_id: str
    upload_id: str
    name: str
    path: str
    size: int


class UnfinishedUploads(Wire):
    """One page of them."""

    items: list[UnfinishedUpload]
    next_cursor: str | None = None


class FileAnswer(Wire):
    """The file that an upload became."""

    file: RemoteFile


class Account(Wire):
    """Who is signed in."""

    username: str


class AccountAnswer(Wire):
    """The answer to signing in, refreshing and ``me``."""

    user: Account


class ProblemDocument(Wire):
    """An error by RFC 9457."""

    title: str = ""
    detail: str = ""
    code: str = ""
