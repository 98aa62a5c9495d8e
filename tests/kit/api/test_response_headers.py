"""Response headers built from user input are safe."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metastore.kit.api.response_headers import content_disposition, safe_media_type


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.txt", 'attachment; filename="a.txt"'),
        ("a b.txt", 'attachment; filename="a b.txt"'),
        ('a"b\\c.txt', "attachment; filename=\"a_b_c.txt\"; filename*=UTF-8''a%22b%5Cc.txt"),
        ("100%.txt", "attachment; filename=\"100_.txt\"; filename*=UTF-8''100%25.txt"),
        ("é.txt", "attachment; filename=\"_.txt\"; filename*=UTF-8''%C3%A9.txt"),
        ("a\r\nb", 'attachment; filename="ab"'),
        ("\u2028\ud800", "attachment"),
        ("", "attachment"),
    ],
)
def test_names_in_the_header(name: str, expected: str) -> None:
    """RFC 6266, with a fallback for old clients."""
    assert expected == content_disposition(name)


@given(st.text())
def test_any_name_makes_one_ascii_header(name: str) -> None:
    """It has no control characters and balanced quotes."""
    header = content_disposition(name, inline=True)
    assert header.isascii()
    assert header.isprintable()
    assert header.count('"') in (0, 2)


@pytest.mark.parametrize(
    "good", ["text/plain", "text/plain; charset=utf-8", "application/vnd.ms-excel", "image/svg+xml"]
)
def test_well_formed_media_types_are_kept(good: str) -> None:
    """Parameters are kept too."""
    assert good == safe_media_type(good)


@pytest.mark.parametrize("bad", ["", "text", "text/", "text/html\r\nX: 1", "text/html\n", "té/xt", "a/b; \x00", "/"])
def test_malformed_media_types_become_octet_stream(bad: str) -> None:
    """Nothing that is invalid in a header gets through."""
    assert "application/octet-stream" == safe_media_type(bad)
