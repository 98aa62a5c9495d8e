"""Cursor pagination: ``{items, nextCursor}``.

A cursor is the sort key of the last item of a page. Every page is one indexed range scan, and no item is repeated or
skipped when the list changes in between. Cursors are opaque to clients: URL-safe base64 of a JSON array.
"""

import base64
import binascii
from collections.abc import Sequence
from typing import Annotated, Generic, TypeVar

import orjson
from pydantic import Field

from metastore.kit.api.schema import Schema
from metastore.kit.problems.problem import Problem, invalid
from metastore.kit.problems.problem_codes import ProblemCode

Item = TypeVar("Item")
CursorKey = list[str | int | None]
Limit = Annotated[int, Field(ge=1, le=200)]


class Page(Schema, Generic[Item]):
    """One page of a list. ``next_cursor`` is ``None`` on the last page."""

    items: Sequence[Item]
    next_cursor: str | None = None


def encode_cursor(key: CursorKey) -> str:
    """Return the cursor for the sort key of a page's last item."""
    return base64.urlsafe_b64encode(orjson.dumps(key)).decode().rstrip("=")


def decode_cursor(cursor: str, length: int) -> CursorKey:
    """Return the sort key in ``cursor``.

    Raises:
        Problem: 422 ``invalid-cursor`` when it is not a cursor of ``length`` values.
    """
    key: CursorKey | None
    try:
        key = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError):
        key = None
    is_valid = isinstance(key, list) and len(key) == length and all(v is None or isinstance(v, (str, int)) for v in key)
    if key is None or not is_valid:
        raise invalid_cursor()
    return key


def invalid_cursor() -> Problem:
    """Return 422 ``invalid-cursor``."""
    return invalid("cursor", "The cursor was not issued by this list.", code=ProblemCode.INVALID_CURSOR)
