"""API shapes of share links, as visitors see them."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from metastore.features.auth.schemas import GivenPassword
from metastore.features.files.schemas import FileOut, FolderOut, FolderQuery, SortKey, SortOrder
from metastore.features.sharing.schemas import Permission
from metastore.kit.api.paging import Limit
from metastore.kit.api.schema import Input, Schema, Timestamp


class ItemsQuery(BaseModel):
    """The folder to list, by ID; otherwise what the link leads to. The order, and where to continue."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)

    parent_id: str | None = None
    sort: SortKey = "name"
    order: SortOrder = "asc"
    limit: Limit = 50
    cursor: Annotated[str | None, Field(max_length=1000)] = None

    def as_folder_query(self) -> FolderQuery:
        """Return the same as the query of a folder."""
        return FolderQuery(**self.model_dump())


class SharedLinkOut(Schema):
    """What a link leads to. With a password, only who holds a grant sees more than the first four fields.

    ``size`` in bytes is null for folders. ``has_access`` says whether the request carries a valid grant.
    """

    kind: Literal["file", "folder"]
    permission: Permission
    requires_password: bool
    expires_at: Timestamp | None
    has_access: bool
    name: str | None
    size: int | None
    mime_type: str | None
    owner_name: str | None


class LinkPassword(Input):
    """The password of a link, if it has one."""

    password: GivenPassword | None = Field(default=None, repr=False)


class LinkAccess(Schema):
    """A visitor's access to a link: exactly one of ``file`` and ``folder`` is set.

    ``grant`` is also set as a cookie for everything below ``/api/v1/share-links/token/{token}``; clients without
    cookies send it as ``Authorization: Bearer``. It is renewed by use. ``downloadUrl`` (of a file, with DOWNLOAD)
    needs the grant, ``streamUrl`` (of a playable file) does not.
    """

    permission: Permission
    file: FileOut | None
    folder: FolderOut | None
    grant: str = Field(repr=False)
    grant_expires_at: Timestamp
    download_url: str | None
    stream_url: str | None
