"""API shapes of notifications; the socket event ``notification`` carries ``NotificationOut`` too."""

from pydantic import JsonValue

from metastore.kit.api.paging import Page
from metastore.kit.api.schema import Schema, Timestamp


class NotificationOut(Schema):
    """A notification. Clients translate ``type`` and ``payload``, or show ``message``."""

    id: str
    user_id: str
    type: str
    message: str
    payload: dict[str, JsonValue]
    read_at: Timestamp | None
    created_at: Timestamp


class NotificationPage(Page[NotificationOut]):
    """A page of notifications, with the total number of unread ones."""

    unread_count: int


class ReadAllResponse(Schema):
    """The number of notifications that were unread."""

    updated: int
