"""Ranges and preconditions according to RFC 9110."""

from datetime import UTC, datetime

import pytest

from metastore.kit.api.conditional_requests import (
    UnsatisfiableRangeError,
    Validators,
    precondition_status,
    requested_range,
)

STATE = Validators(b'"abc"', datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC))
SAME = b"Sun, 22 Nov 2026 12:00:00 GMT"
EARLIER = b"Sun, 22 Nov 2026 11:59:59 GMT"
LATER = b"Sun, 22 Nov 2026 12:00:01 GMT"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"bytes=0-0", (0, 1)),
        (b"bytes=0-99", (0, 100)),
        (b"bytes=10-19", (10, 10)),
        (b"bytes=90-", (90, 10)),
        (b"bytes=90-1000", (90, 10)),
        (b"bytes=-10", (90, 10)),
        (b"bytes=-1000", (0, 100)),
        (b"Bytes=5-6", (5, 2)),
        (b"bytes= 5-6 ", (5, 2)),
        (b"bytes=0-99999999999999999999", (0, 100)),
    ],
)
def test_a_range_is_cut_to_the_object(value: bytes, expected: tuple[int, int]) -> None:
    """The result is offset and length."""
    assert expected == requested_range({b"range": value}, 100, STATE)


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"bytes",
        b"bytes=",
        b"bytes=-",
        b"bytes=--5",
        b"bytes=a-b",
        b"bytes=5-4",
        b"bytes=1.5-2",
        b"items=0-5",
        b"bytes=0-1,5-6",
        b"bytes=0-0,0-0,0-0",
        b"bytes=999999999999999999999-",
    ],
)
def test_anything_but_a_single_range_is_ignored(value: bytes) -> None:
    """The whole object is sent."""
    assert requested_range({b"range": value}, 100, STATE) is None


@pytest.mark.parametrize("value", [b"bytes=100-", b"bytes=100-200", b"bytes=-0", b"bytes=" + b"0-0," * 5000 + b"0-0"])
def test_ranges_beyond_the_end_and_many_ranges_are_refused(value: bytes) -> None:
    """With 416, without evaluating each range."""
    with pytest.raises(UnsatisfiableRangeError):
        requested_range({b"range": value}, 100, STATE)


def test_an_empty_object_has_no_ranges() -> None:
    """It is sent whole."""
    assert requested_range({b"range": b"bytes=0-"}, 0, STATE) is None


@pytest.mark.parametrize("condition", [b'"abc"', SAME])
def test_if_range_matches_the_same_object(condition: bytes) -> None:
    """If-Range by ETag or by date."""
    assert (5, 95) == requested_range({b"range": b"bytes=5-", b"if-range": condition}, 100, STATE)


@pytest.mark.parametrize("condition", [b'"other"', b'W/"abc"', b"abc", EARLIER, LATER, b"", b"yesterday"])
def test_if_range_does_not_match_another_object(condition: bytes) -> None:
    """If-Range that does not match sends the whole object; a weak ETag never matches."""
    assert requested_range({b"range": b"bytes=5-", b"if-range": condition}, 100, STATE) is None


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({b"if-none-match": b'"abc"'}, 304),
        ({b"if-none-match": b'W/"abc"'}, 304),
        ({b"if-none-match": b'"x", "abc"'}, 304),
        ({b"if-none-match": b"*"}, 304),
        ({b"if-none-match": b'"x"'}, None),
        ({b"if-none-match": b'"x"', b"if-modified-since": LATER}, None),
        ({b"if-modified-since": SAME}, 304),
        ({b"if-modified-since": EARLIER}, None),
        ({b"if-modified-since": b"rubbish \xff"}, None),
        ({b"if-match": b'"abc"'}, None),
        ({b"if-match": b"*"}, None),
        ({b"if-match": b'W/"abc"'}, 412),
        ({b"if-match": b'"x"'}, 412),
        ({b"if-unmodified-since": EARLIER}, 412),
        ({b"if-unmodified-since": SAME}, None),
        ({b"if-match": b'"abc"', b"if-unmodified-since": EARLIER}, None),
        ({b"if-match": b'"x"', b"if-none-match": b'"abc"'}, 412),
        ({}, None),
    ],
)
def test_preconditions_are_evaluated_in_order(headers: dict[bytes, bytes], expected: int | None) -> None:
    """RFC 9110 §13.2.2."""
    assert expected == precondition_status(headers, STATE)
