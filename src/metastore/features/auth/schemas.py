"""API shapes of accounts and sessions, and the caller as other features see it."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, Field

from metastore.features.auth.identity import checked_display_name, checked_email, checked_text, checked_username
from metastore.features.auth.roles import Role, Status
from metastore.kit.schema import Input, Schema, Timestamp

Username = Annotated[str, Field(min_length=3, max_length=64), AfterValidator(checked_username)]
Email = Annotated[str, Field(max_length=254), AfterValidator(checked_email)]
DisplayName = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(checked_display_name)]
NewPassword = Annotated[str, Field(min_length=8, max_length=256), AfterValidator(checked_text)]
GivenPassword = Annotated[str, Field(max_length=256), AfterValidator(checked_text)]


@dataclass(frozen=True, slots=True)
class Caller:
    """The signed-in user behind a request, and the session it came by."""

    id: str
    username: str
    display_name: str
    role: str
    session_id: str

    @property
    def is_admin(self) -> bool:
        """Whether the caller has the ADMIN role."""
        return self.role == Role.ADMIN


class Registration(Input):
    """What it takes to make an account; passwords have 8 to 256 characters."""

    username: Username
    email: Email
    password: NewPassword = Field(repr=False)
    display_name: DisplayName | None = None


class Credentials(Input):
    """A sign-in; ``username`` may be the e-mail address."""

    username: Annotated[str, Field(min_length=1, max_length=254), AfterValidator(checked_text)]
    password: GivenPassword = Field(repr=False)


class ProfileChange(Input):
    """What a user may change of itself; a new ``password`` needs ``current_password``."""

    display_name: DisplayName | None = None
    password: NewPassword | None = Field(default=None, repr=False)
    current_password: GivenPassword | None = Field(default=None, repr=False)


class UserOut(Schema):
    """An account as its owner sees it; storage in bytes."""

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


class UserAnswer(Schema):
    """An account, in an envelope."""

    user: UserOut


class SessionOut(Schema):
    """A device that is signed in; ``current`` is the one that asks."""

    id: str
    user_agent: str | None
    address: str | None
    created_at: Timestamp
    refreshed_at: Timestamp
    expires_at: Timestamp
    current: bool
