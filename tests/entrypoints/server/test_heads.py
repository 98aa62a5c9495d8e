"""Received bytes are divided where heads may end."""

import httptools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metastore.entrypoints.server.heads import HeadEnds, head_of, path_of


@given(st.lists(st.text("\r\na", min_size=1).map(str.encode)))
def test_pieces_end_behind_every_empty_line(received: list[bytes]) -> None:
    """However the bytes arrive, and nothing is lost. The line before it is the last one of a head, so not empty."""
    heads = HeadEnds()
    pieces = [piece for data in received for piece in heads.split(data)]
    whole = b"".join(received)
    assert b"".join(pieces) == whole
    assert all(pieces)
    ends, position = set(), 0
    for piece in pieces:
        position += len(piece)
        ends.add(position)
    assert {end for end in range(5, len(whole) + 1) if whole[end - 5 : end] == b"a\r\n\r\n"} <= ends


def test_a_head_is_written_as_it_was_parsed() -> None:
    head = head_of(b"PUT", b"/a?b", "1.1", [(b"host", b"x"), (b"accept", b"a"), (b"accept", b"b")])
    assert head == b"PUT /a?b HTTP/1.1\r\nhost: x\r\naccept: a\r\naccept: b\r\n\r\n"


@pytest.mark.parametrize(
    ("target", "path"),
    [(b"/a/b?c", "/a/b"), (b"http://x/a", "/a"), (b"/%61%2F", "/a/"), (b"/%c3%a4", "/ä"), (b"http://x", "")],
)
def test_the_path_is_decoded(target: bytes, path: str) -> None:
    assert path_of(target) == path


def test_a_target_without_a_path_is_an_error() -> None:
    with pytest.raises(httptools.HttpParserInvalidURLError):
        path_of(b"x:1")
