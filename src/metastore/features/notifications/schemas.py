"""API shapes of notifications; the socket event ``notification`` carries ``NotificationOut`` too."""

from pydantic import JsonValue

from metastore.kit.paging import Page
from metastore.kit.schema import Schema, Timestamp


class NotificationOut(Schema):
    """A notification; clients make their own words from ``type`` and ``payload``, or show ``message``."""

    id: str
    user_id: str
    type: str
    message: str
    payload: dict[str, JsonValue]
    read_at: Timestamp | None
    created_at: Timestamp


class NotificationPage(Page[NotificationOut]):
    """One page of notifications, and how many are unread in all."""

    unread_count: int


class ReadAllAnswer(Schema):
    """How many notifications were unread until now."""

    updated: int
