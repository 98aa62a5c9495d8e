"""API shapes of archives."""

from pydantic import Field

from metastore.features.archives.urls import MAX_ITEMS
from metastore.kit.api.schema import Input, Schema, Timestamp


class ArchiveIn(Input):
    """The IDs of the files and folders; what is inside one of the folders comes with it."""

    ids: list[str] = Field(min_length=1, max_length=MAX_ITEMS)


class ArchiveOut(Schema):
    """An archive: a URL that serves it to GET and HEAD until ``expires_at``, and its exact size in bytes."""

    url: str
    name: str
    size: int
    expires_at: Timestamp
