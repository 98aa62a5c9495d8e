"""Events published by the sharing feature. None of them holds a token or a password."""

from typing import ClassVar

from metastore.kit.events.event import Event


class _ShareEvent(Event):
    link_id: str
    owner_id: str
    node_id: str

    def aggregate(self) -> str:
        """The share link."""
        return f"share:{self.link_id}"


class ShareCreated(_ShareEvent):
    """A share link was created."""

    event_type: ClassVar[str] = "share.created"
    permission: str


class ShareChanged(_ShareEvent):
    """A share link was changed; ``fields`` names what, and ``token`` stands for a new token."""

    event_type: ClassVar[str] = "share.changed"
    fields: tuple[str, ...]


class ShareRevoked(_ShareEvent):
    """A share link was revoked."""

    event_type: ClassVar[str] = "share.revoked"


class ShareAccessed(_ShareEvent):
    """A visitor opened a share link, and it counted as its ``access_count``-th access.

    ``name`` is that of the shared file or folder. ``notify`` is true at most once an hour for a link.
    """

    event_type: ClassVar[str] = "share.accessed"
    name: str
    visitor_id: str
    access_count: int
    notify: bool


class ShareGuessed(_ShareEvent):
    """The password of a share link was guessed so often that it accepts no more; recorded at most once an hour.

    ``name`` is that of the shared file or folder.
    """

    event_type: ClassVar[str] = "share.guessed"
    name: str
