"""Events published by the audit feature."""

from typing import ClassVar

from metastore.kit.events.event import Event


class AccessRefused(Event):
    """A request for another user's resource was refused; ``user_id`` is ``None`` if nobody was signed in."""

    event_type: ClassVar[str] = "access.refused"
    method: str
    path: str
    code: str
    user_id: str | None

    def aggregate(self) -> str:
        """The user who made the request."""
        return f"user:{self.user_id or 'unknown'}"
