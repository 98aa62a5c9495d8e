"""API shapes of share links, as their owners see them."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, Field, model_validator

from metastore.features.auth.schemas import GivenPassword
from metastore.kit.api.paging import Page
from metastore.kit.api.schema import Input, Schema, Timestamp


class Permission(StrEnum):
    """What visitors of a link may do. File drops (``UPLOAD``) are not there yet."""

    VIEW = "VIEW"
    """List folders, and see previews and streams: never a file's own bytes."""
    DOWNLOAD = "DOWNLOAD"
    """All of that, and download files."""


def _no_blank(label: str | None) -> str | None:
    if label is not None and not label.isprintable():
        raise ValueError("must not contain control characters")
    return (label or "").strip() or None


_GivenPermission = Annotated[Permission, Field(strict=False)]
_Expiry = Annotated[AwareDatetime, Field(strict=False)]
_Label = Annotated[str | None, Field(max_length=100), AfterValidator(_no_blank)]
_MaxAccessCount = Annotated[int, Field(ge=1, le=1_000_000_000)]
_LinkPassword = Annotated[GivenPassword, Field(min_length=1)]


class LinkIn(Input):
    """A share link to create. Passwords have 1 to 256 characters; ``label`` is for the owner only."""

    resource_id: str
    permission: _GivenPermission
    expires_at: _Expiry | None = None
    password: _LinkPassword | None = Field(default=None, repr=False)
    max_access_count: _MaxAccessCount | None = None
    label: _Label = None


class LinkPatch(Input):
    """Changes to a share link. Absent fields are left alone; null takes away a password, a limit or the expiry."""

    permission: _GivenPermission | None = None
    expires_at: _Expiry | None = None
    password: _LinkPassword | None = Field(default=None, repr=False)
    max_access_count: _MaxAccessCount | None = None
    label: _Label = None

    @model_validator(mode="after")
    def _not_null(self) -> "LinkPatch":
        if "permission" in self.model_fields_set and self.permission is None:
            raise ValueError("permission must not be null")
        return self


class LinkOut(Schema):
    """A share link. ``url`` is the page that visitors open, with the ``token``.

    ``name`` and ``kind`` are those of the shared file or folder; the name is null while that is in the trash.
    ``is_active`` is false if the link opens nothing: revoked, expired, used up, or in the trash.
    """

    id: str
    token: str = Field(repr=False)
    url: str = Field(repr=False)
    resource_id: str
    name: str | None
    kind: Literal["file", "folder"]
    permission: Permission
    expires_at: Timestamp | None
    has_password: bool
    max_access_count: int | None
    access_count: int
    last_accessed_at: Timestamp | None
    is_active: bool
    revoked_at: Timestamp | None
    label: str | None
    created_at: Timestamp


class LinkAccessOut(Schema):
    """Something that a visitor did: opened the link (``access``) or downloaded a file (``download``).

    ``visitor`` stays the same while a visitor's grant is renewed. ``counted`` says whether it counted towards
    ``maxAccessCount``.
    """

    at: Timestamp
    visitor: str
    address: str | None
    counted: bool
    action: Literal["access", "download"]


class LinkPage(Page[LinkOut]):
    """A page of the caller's share links, latest first."""


class LinkAccessPage(Page[LinkAccessOut]):
    """A page of what visitors of a link did, latest first."""
