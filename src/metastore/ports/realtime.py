"""Messages to a user's open browser sockets.

Sockets are a convenience, not a record: a message to a user with no open socket is dropped, and what must not be lost
is saved first (a notification) and fetched by the client when it connects.
"""

from typing import Protocol

from pydantic import JsonValue


class Realtime(Protocol):
    """See the module."""

    async def emit_to_user(self, user_id: str, event: str, data: JsonValue) -> None:
        """Send to every socket of the user, in whatever process it ends."""
        ...

    async def close_session(self, session_id: str) -> None:
        """Disconnect the sockets that were opened under that sign-in session."""
        ...

    async def close_user(self, user_id: str) -> None:
        """Disconnect every socket of the user."""
        ...


def user_room(user_id: str) -> str:
    """The name of the room that all sockets of a user are in."""
    return f"user:{user_id}"


def session_room(session_id: str) -> str:
    """The name of the room that the sockets of a sign-in session are in."""
    return f"session:{session_id}"


def session_of(room: str) -> str | None:
    """The sign-in session whose room that is; ``None`` when it is another kind of room."""
    return room.removeprefix("session:") if room.startswith("session:") else None
