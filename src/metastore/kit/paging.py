"""Lists by cursor: ``{items, nextCursor}``, never an offset.

A cursor is the sort key of the last item shown, so that a page is one indexed range scan however deep it lies and
nothing is shown twice or skipped when the list changes in between. It is opaque to clients: URL-safe base64 of a JSON
array.
"""

import base64
import binascii
from collections.abc import Sequence
from typing import Annotated, Generic, TypeVar

import orjson
from pydantic import Field

from metastore.kit.problem import Problem, invalid
from metastore.kit.problem_codes import ProblemCode
from metastore.kit.schema import Schema

Item = TypeVar("Item")
CursorKey = list[str | int | None]
Limit = Annotated[int, Field(ge=1, le=200)]


class Page(Schema, Generic[Item]):
    """One page of a list; ``next_cursor`` is ``None`` on the last."""

    items: Sequence[Item]
    next_cursor: str | None = None


def encode_cursor(key: CursorKey) -> str:
    """The opaque cursor for the sort key of the last item shown."""
    return base64.urlsafe_b64encode(orjson.dumps(key)).decode().rstrip("=")


def decode_cursor(cursor: str, length: int) -> CursorKey:
    """The sort key in ``cursor``.

    Raises:
        Problem: 422 ``invalid-cursor`` when it is not a cursor of ``length`` values.
    """
    key: CursorKey | None
    try:
        key = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError):
        key = None
    sound = isinstance(key, list) and len(key) == length and all(v is None or isinstance(v, (str, int)) for v in key)
    if key is None or not sound:
        raise invalid_cursor()
    return key


def invalid_cursor() -> Problem:
    """422 ``invalid-cursor``."""
    return invalid("cursor", "The cursor was not issued by this list.", code=ProblemCode.INVALID_CURSOR)
