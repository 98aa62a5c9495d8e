"""API shapes of accounts and sessions, and the authenticated caller."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, Field

from metastore.features.auth.identity.names import (
    normalize_display_name,
    normalize_email,
    normalize_username,
    validate_text,
)
from metastore.features.auth.identity.roles import Role, Status
from metastore.kit.api.schema import Input, Schema, Timestamp

Username = Annotated[str, Field(min_length=3, max_length=64), AfterValidator(normalize_username)]
Email = Annotated[str, Field(max_length=254), AfterValidator(normalize_email)]
DisplayName = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(normalize_display_name)]
NewPassword = Annotated[str, Field(min_length=8, max_length=256), AfterValidator(validate_text)]
GivenPassword = Annotated[str, Field(max_length=256), AfterValidator(validate_text)]


@dataclass(frozen=True, slots=True)
class Caller:
    """The signed-in user who makes a request, and the session."""

    id: str
    username: str
    display_name: str
    role: str
    session_id: str

    @property
    def is_admin(self) -> bool:
        """Whether the caller has the ADMIN role."""
        return self.role == Role.ADMIN

    @property
    def subject_id(self) -> str:
        """Who grants of rights name."""
        return self.id

    @property
    def grant_version(self) -> int:
        """The version that grants have; those for users have one version only."""
        return 0


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who has opened a share link. ``grant_version`` is the version that the link had at that time."""

    link_id: str
    grant_version: int

    @property
    def subject_id(self) -> str:
        """Who grants of rights name."""
        return self.link_id


Principal = Caller | Visitor
"""Who makes a request: a signed-in user, or a visitor of a share link."""


class Registration(Input):
    """A new account; passwords have 8 to 256 characters."""

    username: Username
    email: Email
    password: NewPassword = Field(repr=False)
    display_name: DisplayName | None = None


class Credentials(Input):
    """Credentials for signing in; ``username`` may be the e-mail address."""

    username: Annotated[str, Field(min_length=1, max_length=254), AfterValidator(validate_text)]
    password: GivenPassword = Field(repr=False)


class ProfileChange(Input):
    """Changes to one's own account; a new ``password`` requires ``current_password``."""

    display_name: DisplayName | None = None
    password: NewPassword | None = Field(default=None, repr=False)
    current_password: GivenPassword | None = Field(default=None, repr=False)


class UserOut(Schema):
    """An account; storage in bytes."""

    id: str
    username: str
    email: str
    display_name: str
    role: Role
    status: Status
    plan: str
    storage_used: int
    storage_reserved: int
    storage_quota: int


class UserResponse(Schema):
    """A response that contains an account."""

    user: UserOut


class SessionOut(Schema):
    """A session on a device; ``current`` marks the session of the request."""

    id: str
    user_agent: str | None
    address: str | None
    created_at: Timestamp
    refreshed_at: Timestamp
    expires_at: Timestamp
    current: bool
