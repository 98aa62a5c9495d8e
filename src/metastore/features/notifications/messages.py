"""English messages for each type of notification, for clients without a translation."""

from collections.abc import Mapping

from pydantic import JsonValue

_SENTENCES = {
    "file.ready": "“{name}” is ready.",
    "file.damaged": "The stored bytes of “{name}” were lost or changed. It cannot be downloaded.",
    "file.recovered": "“{name}” is whole again.",
    "file.failed": "“{name}” did not become ready. {reason}",
}


def message_of(notification_type: str, payload: Mapping[str, JsonValue]) -> str:
    """Return the message; an unknown type is returned as it is."""
    sentence = _SENTENCES.get(notification_type)
    if sentence is None:
        return notification_type
    sentence = sentence.replace("{reason}", str(payload.get("reason", ""))).strip()
    return sentence.replace("{name}", str(payload.get("name", "")))
