"""Facts about accounts and sessions."""

from typing import ClassVar

from metastore.kit.facts import Fact


class _UserFact(Fact):
    user_id: str

    def aggregate(self) -> str:
        """The user."""
        return f"user:{self.user_id}"


class UserRegistered(_UserFact):
    """An account was made; ``by`` says how: ``registration``, ``setup`` (the first admin) or ``command``."""

    event_type: ClassVar[str] = "user.registered"
    username: str
    role: str
    by: str


class PasswordChanged(_UserFact):
    """A user has a new password."""

    event_type: ClassVar[str] = "user.password_changed"


class SessionOpened(_UserFact):
    """A user signed in."""

    event_type: ClassVar[str] = "session.opened"
    session_id: str


class SessionRefused(Fact):
    """A sign-in failed; ``reason`` is ``unknown-user``, ``wrong-password`` or ``suspended``."""

    event_type: ClassVar[str] = "session.refused"
    username: str
    """As it was typed, cut to 64 characters."""
    user_id: str | None
    reason: str

    def aggregate(self) -> str:
        """The user whose name was tried."""
        return f"user:{self.user_id or 'unknown'}"


class SessionReused(_UserFact):
    """A refresh token that had been used up was used again: somebody holds a copy. Its session was revoked."""

    event_type: ClassVar[str] = "session.reused"
    session_id: str
    generation: int


class SessionRevoked(_UserFact):
    """A session ended before its time.

    ``reason`` is ``signed-out``, ``revoked`` (from the list of devices), ``password-changed`` or ``refresh-reused``.
    """

    event_type: ClassVar[str] = "session.revoked"
    session_id: str
    reason: str
