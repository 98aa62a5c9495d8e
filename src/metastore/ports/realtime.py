"""Messages to a user's open browser sockets.

Delivery is best effort: a message to a user without an open socket is dropped. What must not be lost (a notification)
is saved first and fetched by the client when it connects.
"""

from typing import Protocol

from pydantic import JsonValue


class Realtime(Protocol):
    """Sends messages to sockets. The module's docstring describes the guarantees."""

    async def emit_to_user(self, user_id: str, event: str, data: JsonValue) -> None:
        """Send a message to every socket of the user, in all processes."""
        ...

    async def close_session(self, session_id: str) -> None:
        """Disconnect the sockets of a session."""
        ...

    async def close_user(self, user_id: str) -> None:
        """Disconnect every socket of the user."""
        ...


def user_room(user_id: str) -> str:
    """Return the name of the room of a user's sockets."""
    return f"user:{user_id}"


def session_room(session_id: str) -> str:
    """Return the name of the room of a session's sockets."""
    return f"session:{session_id}"


def session_of(room: str) -> str | None:
    """Return the session of a room, or ``None`` for other rooms."""
    return room.removeprefix("session:") if room.startswith("session:") else None
