"""What a file is, judged by its first bytes."""

import io
import zipfile

import pytest

from metastore.features.files.content_type import UNKNOWN, content_type_of, well_formed

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0"
JPEG = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01"
MP4 = b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41"
TS_PACKET = b"G" + b"\0" * 187


def _zip() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("[Content_Types].xml", "<x/>")
    return packed.getvalue()


@pytest.mark.parametrize(
    ("head", "name", "expected"),
    [
        (PNG, "a.png", "image/png"),
        (PNG, "a.txt", "image/png"),
        (PNG, "noext", "image/png"),
        (JPEG, "a.jpg", "image/jpeg"),
        (JPEG, "noext", "image/jpeg"),
        (MP4, "film.mp4", "video/mp4"),
        (MP4, "film.exe", "video/mp4"),
        (b"%PDF-1.7\n", "a.png", "application/pdf"),
        (b"<!DOCTYPE html><html>", "photo.png", "text/html"),
        (b'<svg xmlns="http://www.w3.org/2000/svg">', "a.svg", "image/svg+xml"),
        (_zip(), "a.zip", "application/zip"),
        (_zip(), "a", "application/zip"),
        (_zip(), "a.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (b"\x1f\x8b\x08\0\0\0\0\0", "a.tar.gz", "application/gzip"),
        (TS_PACKET * 4, "a.ts", "video/mp2t"),
        (TS_PACKET * 3, "a.txt", "text/plain"),
        (b"export const a = 1;", "a.ts", UNKNOWN),
    ],
)
def test_the_bytes_decide_and_the_suffix_chooses_among_what_fits(head: bytes, name: str, expected: str) -> None:
    assert content_type_of(head, name, "application/octet-stream") == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.txt", "text/plain"), ("a.csv", "text/csv"), ("a.md", "text/markdown"), ("a.MP4", "video/mp4")],
)
def test_bytes_that_tell_nothing_leave_it_to_the_suffix(name: str, expected: str) -> None:
    assert content_type_of(b"nothing in particular", name, "text/html") == expected
    assert content_type_of(b"", name, "text/html") == expected


@pytest.mark.parametrize(
    ("claimed", "expected"),
    [
        ("application/x-diary", "application/x-diary"),
        ("text/html", UNKNOWN),
        ("application/xhtml+xml", UNKNOWN),
        ("image/svg+xml", UNKNOWN),
        ("text/javascript", UNKNOWN),
        ("nonsense", UNKNOWN),
        ("a/b\r\nSet-Cookie: x", UNKNOWN),
        ("", UNKNOWN),
    ],
)
def test_a_claim_is_believed_last_and_never_when_a_browser_would_run_it(claimed: str, expected: str) -> None:
    assert content_type_of(b"nothing in particular", "diary", claimed) == expected


def test_a_media_type_is_stripped_of_parameters() -> None:
    assert well_formed("Text/Plain; charset=utf-8") == "text/plain"
    assert well_formed("x" * 300 + "/y") == UNKNOWN
