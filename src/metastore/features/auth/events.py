"""Events published by the auth feature."""

from typing import ClassVar

from metastore.kit.events.event import Event


class _UserEvent(Event):
    user_id: str

    def aggregate(self) -> str:
        """The user."""
        return f"user:{self.user_id}"


class UserRegistered(_UserEvent):
    """An account was created; ``by`` says how: ``registration``, ``setup`` (the first admin) or ``command``."""

    event_type: ClassVar[str] = "user.registered"
    username: str
    role: str
    by: str


class PasswordChanged(_UserEvent):
    """A user changed the password."""

    event_type: ClassVar[str] = "user.password_changed"


class SessionOpened(_UserEvent):
    """A user signed in."""

    event_type: ClassVar[str] = "session.opened"
    session_id: str


class SessionRefused(Event):
    """A sign-in failed; ``reason`` is ``unknown-user``, ``wrong-password`` or ``suspended``."""

    event_type: ClassVar[str] = "session.refused"
    username: str
    """As entered, truncated to 64 characters."""
    user_id: str | None
    reason: str

    def aggregate(self) -> str:
        """The user with that name, if there is one."""
        return f"user:{self.user_id or 'unknown'}"


class SessionReused(_UserEvent):
    """A refresh token was used twice, so it may have been stolen. Its session was revoked."""

    event_type: ClassVar[str] = "session.reused"
    session_id: str
    generation: int


class SessionRevoked(_UserEvent):
    """A session ended before it expired.

    ``reason`` is ``signed-out``, ``revoked`` (from the list of devices), ``password-changed`` or ``refresh-reused``.
    """

    event_type: ClassVar[str] = "session.revoked"
    session_id: str
    reason: str
