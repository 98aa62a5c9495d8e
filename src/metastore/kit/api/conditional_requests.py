"""Conditional requests (RFC 9110 §13) and ranges (§14), as pure functions of header values."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

_RANGE = re.compile(rb"\s*(\d{0,20})\s*-\s*(\d{0,20})\s*")
_IGNORED_RANGES = 8
"""A header with several ranges, but fewer commas than this, is ignored; one with more is refused."""


class UnsatisfiableRangeError(Exception):
    """The range starts beyond the end, or there are too many ranges."""


@dataclass(frozen=True, slots=True)
class Validators:
    """The validators of an object: its strong ETag in quotes, and its modification time in whole seconds."""

    etag: bytes
    modified_at: datetime


def precondition_status(headers: Mapping[bytes, bytes], validators: Validators) -> int | None:
    """Return 412 or 304 if a precondition decides the response (in the order of §13.2.2), otherwise ``None``."""
    if (value := headers.get(b"if-match")) is not None:
        if not _contains(value, validators.etag, weakly=False):
            return 412
    elif (date := _date(headers.get(b"if-unmodified-since"))) and validators.modified_at > date:
        return 412
    if (value := headers.get(b"if-none-match")) is not None:
        return 304 if _contains(value, validators.etag, weakly=True) else None
    date = _date(headers.get(b"if-modified-since"))
    return 304 if date and validators.modified_at <= date else None


def requested_range(headers: Mapping[bytes, bytes], size: int, validators: Validators) -> tuple[int, int] | None:
    """Return the range to send as offset and length, or ``None`` for the whole object.

    Raises:
        UnsatisfiableRangeError: respond with 416.
    """
    value = headers.get(b"range")
    if value is None or size == 0 or value[:6].lower() != b"bytes=":
        return None
    condition = headers.get(b"if-range")
    if condition is not None and not _is_unchanged(condition, validators):
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


def _is_unchanged(condition: bytes, validators: Validators) -> bool:
    """Evaluate If-Range: return whether the client's copy is of the same object."""
    if condition.endswith(b'"'):
        return condition.strip() == validators.etag
    return _date(condition) == validators.modified_at


def _contains(value: bytes, etag: bytes, *, weakly: bool) -> bool:
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
