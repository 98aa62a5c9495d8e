"""The types of notifications, and an English message for each, for clients that have no texts of their own."""

from collections.abc import Mapping
from enum import StrEnum

from pydantic import JsonValue


class NotificationType(StrEnum):
    """What a notification is about.

    Types are part of the API: they are added, never renamed. Every one of them has a text in each language of the web
    client; ``make lint-translations`` checks that.
    """

    FILE_READY = "file.ready"
    FILE_FAILED = "file.failed"
    FILE_DAMAGED = "file.damaged"
    FILE_RECOVERED = "file.recovered"
    SHARE_ACCESSED = "share.accessed"
    """At most once an hour for a share link."""
    SHARE_GUESSED = "share.guessed"


_SENTENCES: dict[str, str] = {
    NotificationType.FILE_READY: "“{name}” is ready.",
    NotificationType.FILE_DAMAGED: "The stored bytes of “{name}” were lost or changed. It cannot be downloaded.",
    NotificationType.FILE_RECOVERED: "“{name}” is intact again.",
    NotificationType.FILE_FAILED: "“{name}” did not become ready. {reason}",
    NotificationType.SHARE_ACCESSED: "Your link to “{name}” was opened. Times so far: {accessCount}.",
    NotificationType.SHARE_GUESSED: "Somebody guesses the password of your link to “{name}”. It stops them for now.",
}


def message_of(notification_type: str, payload: Mapping[str, JsonValue]) -> str:
    """Return the message; an unknown type is returned as it is."""
    sentence = _SENTENCES.get(notification_type)
    if sentence is None:
        return notification_type
    sentence = sentence.replace("{reason}", str(payload.get("reason", ""))).strip()
    sentence = sentence.replace("{accessCount}", str(payload.get("accessCount", "")))
    return sentence.replace("{name}", str(payload.get("name", "")))
