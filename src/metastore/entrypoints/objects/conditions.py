"""Conditional requests (RFC 9110 §13) and ranges (§14) as pure functions over header values."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

_RANGE = re.compile(rb"\s*(\d{0,20})\s*-\s*(\d{0,20})\s*")
_IGNORED_RANGES = 8
"""As many ranges in one header are ignored; more are refused."""


class UnsatisfiableRangeError(Exception):
    """The range lies beyond the end, or there are too many."""


@dataclass(frozen=True, slots=True)
class Validators:
    """What identifies the object's state: its strong ETag in quotes, and its date in whole seconds."""

    etag: bytes
    modified_at: datetime


def precondition_status(headers: Mapping[bytes, bytes], validators: Validators) -> int | None:
    """412 or 304 when a precondition decides the answer (in the order of §13.2.2), else ``None``."""
    if (value := headers.get(b"if-match")) is not None:
        if not _lists(value, validators.etag, weakly=False):
            return 412
    elif (date := _date(headers.get(b"if-unmodified-since"))) and validators.modified_at > date:
        return 412
    if (value := headers.get(b"if-none-match")) is not None:
        return 304 if _lists(value, validators.etag, weakly=True) else None
    date = _date(headers.get(b"if-modified-since"))
    return 304 if date and validators.modified_at <= date else None


def wanted_range(headers: Mapping[bytes, bytes], size: int, validators: Validators) -> tuple[int, int] | None:
    """The range to send as offset and length, or ``None`` for the whole object.

    Raises:
        UnsatisfiableRangeError: to be answered with 416.
    """
    value = headers.get(b"range")
    if value is None or size == 0 or value[:6].lower() != b"bytes=":
        return None
    condition = headers.get(b"if-range")
    if condition is not None and not _still(condition, validators):
        return None
    if (commas := value.count(b",")) >= _IGNORED_RANGES:
        raise UnsatisfiableRangeError
    match = None if commas else _RANGE.fullmatch(value, 6)
    return _resolve(match[1], match[2], size) if match else None


def _resolve(first: bytes, last: bytes, size: int) -> tuple[int, int] | None:
    if not first:
        if not last:
            return None
        length = min(int(last), size)
        if not length:
            raise UnsatisfiableRangeError
        return size - length, length
    start = int(first)
    end = int(last) if last else size - 1
    if last and end < start:
        return None
    if start >= size:
        raise UnsatisfiableRangeError
    return start, min(end, size - 1) - start + 1


def _still(condition: bytes, validators: Validators) -> bool:
    """If-Range: whether the part that the client has is of this very object."""
    if condition.endswith(b'"'):
        return condition.strip() == validators.etag
    return _date(condition) == validators.modified_at


def _lists(value: bytes, etag: bytes, *, weakly: bool) -> bool:
    if value.strip() == b"*":
        return True
    tags = [tag.strip() for tag in value.split(b",")]
    return etag in tags or (weakly and b"W/" + etag in tags)


def _date(value: bytes | None) -> datetime | None:
    if not value:
        return None
    try:
        parsed = parsedate_to_datetime(value.decode("ascii"))
    except (ValueError, UnicodeError):
        return None
    return parsed if parsed.tzinfo else None
