"""Events on the wire: CloudEvents 1.0 in JSON, structured mode.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md

====================  ====================================================================
attribute             value
====================  ====================================================================
``id``                the event's id, a UUIDv7; a second delivery of the event has the same id
``source``            ``/metastore``
``type``              the event type, ``file.uploaded``
``subject``           the aggregate, ``file:0190…``: events of one subject are delivered in order
``time``              when the event was recorded, RFC 3339 with microseconds
``datacontenttype``   ``application/json``
``dataschema``        ``urn:metastore:event:<type>:<version>``; a new version is a new schema
``data``              the event's fields, as its type declares them
====================  ====================================================================

The event's headers become extension attributes, whose names may have only lower-case letters and digits:
``requestid``, ``actorid``, ``address``, ``useragent``. Headers with other names are collected in ``otherheaders``, a
JSON object in a string.
"""

import json
import re
from datetime import datetime

from pydantic import JsonValue

from metastore.kit.events.outbox import RecordedEvent

CONTENT_TYPE = "application/cloudevents+json"
SOURCE = "/metastore"
EXTENSIONS = {"requestId": "requestid", "actorId": "actorid", "address": "address", "userAgent": "useragent"}
"""Extension attributes by header name."""

_OTHERS = "otherheaders"
_HEADERS = {extension: header for header, extension in EXTENSIONS.items()}
_CORE = frozenset(
    {"specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema", "data", _OTHERS}
)
_EXTENSION_NAME = re.compile(r"[a-z0-9]{1,20}\Z")


class NotAnEventError(ValueError):
    """The message is not a CloudEvent of this product."""


def data_schema(event_type: str, version: str) -> str:
    """Return the URN of the schema of an event type's data."""
    return f"urn:metastore:event:{event_type}:{version}"


def encode(event: RecordedEvent) -> bytes:
    """Serialize ``event``."""
    document: dict[str, JsonValue] = {
        "specversion": "1.0",
        "id": event.id,
        "source": SOURCE,
        "type": event.event_type,
        "subject": event.aggregate,
        "time": event.created_at.isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "dataschema": data_schema(event.event_type, event.headers.get("version", "1")),
    }
    others = {}
    for name, value in event.headers.items():
        if name == "version":
            continue
        extension = EXTENSIONS.get(name) or (name if _may_be_extension(name) else None)
        if extension:
            document[extension] = value
        else:
            others[name] = value
    if others:
        document[_OTHERS] = json.dumps(others)
    document["data"] = event.payload
    return json.dumps(document, separators=(",", ":")).encode()


def decode(body: bytes) -> RecordedEvent:
    """Deserialize an event from ``encode``.

    Raises:
        NotAnEventError: ``body`` is not such an event.
    """
    try:
        document = json.loads(body)
        if document["specversion"] != "1.0" or not isinstance(document["data"], dict):
            raise NotAnEventError("not a CloudEvent 1.0 with an object as data")
        headers = {_HEADERS.get(name, name): str(value) for name, value in document.items() if name not in _CORE}
        headers["version"] = str(document["dataschema"]).rpartition(":")[2]
        headers.update(json.loads(document.get(_OTHERS, "{}")))
        return RecordedEvent(
            id=str(document["id"]),
            event_type=str(document["type"]),
            aggregate=str(document["subject"]),
            payload=document["data"],
            headers=headers,
            created_at=datetime.fromisoformat(document["time"]),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise NotAnEventError(f"{type(error).__name__}: {error}") from error


def _may_be_extension(name: str) -> bool:
    return bool(_EXTENSION_NAME.match(name)) and name not in _CORE and name not in _HEADERS
