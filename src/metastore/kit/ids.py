"""Identifiers."""

import re

import uuid_utils

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def new_id() -> str:
    """Return a new UUIDv7 (RFC 9562) in canonical form. Ids sort by creation time, to the millisecond."""
    return str(uuid_utils.uuid7())


def is_id(text: str) -> bool:
    """Return whether ``text`` is a UUID in canonical lower-case form."""
    return _UUID.fullmatch(text) is not None
