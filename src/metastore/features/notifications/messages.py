"""Plain English for each type of notification, for clients that know no better words."""

from collections.abc import Mapping

from pydantic import JsonValue

_SENTENCES = {
    "file.ready": "“{name}” is ready.",
    "file.failed": "“{name}” could not be processed.",
}


def message_of(notification_type: str, payload: Mapping[str, JsonValue]) -> str:
    """One sentence; a type without one of its own is shown as it is."""
    sentence = _SENTENCES.get(notification_type)
    if sentence is None:
        return notification_type
    return sentence.replace("{name}", str(payload.get("name", "")))
