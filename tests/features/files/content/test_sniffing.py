"""Content type detection from the first bytes."""

import io
import zipfile

import puremagic
import pytest

from metastore.features.files.content.sniffing import (
    UNKNOWN,
    _has_known_signature,
    detect_content_type,
    has_media_suffix,
    is_media,
    is_office_document,
    normalize_media_type,
)

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0"
JPEG = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01"
MP4 = b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41"
TS_PACKET = b"G" + b"\0" * 187


DV_NTSC = b"\x1f\x07\x00\x3f" + bytes(76) + b"\x3f\x07\x00" + bytes(77)
DV_PAL = DV_NTSC.replace(b"\x00\x3f", b"\x00\xbf", 1)
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"
AVIF = b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf"
M4A = b"\0\0\0\x1cftypM4A \0\0\2\0M4A isomiso2"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
MP3_FRAME = b"\xff\xfb\x90\xc4" + bytes(413)
AAC_FRAME = b"\xff\xf1\x50\x80\x02\x1f\xfc" + bytes(9)
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
ODT = "application/vnd.oasis.opendocument.text"


def _zip(*names: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in names or ("[Content_Types].xml",):
            archive.writestr(name, ODT if name == "mimetype" else "<x/>")
    return packed.getvalue()


def _ogg(codec: bytes) -> bytes:
    return b"OggS\0\x02" + bytes(20) + b"\x01\x1e" + codec


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
        ((TS_PACKET * 10)[100:], "noext", "video/mp2t"),
        ((TS_PACKET * 8)[100:], "a.txt", "text/plain"),
        (DV_NTSC, "noext", "video/x-dv"),
        (DV_PAL, "tape.dv", "video/x-dv"),
        (b"export const a = 1;", "a.ts", UNKNOWN),
        (HEIC, "noext", "image/heic"),
        (HEIC, "a.mp4", "image/heic"),
        (AVIF, "noext", "image/avif"),
        (M4A, "noext", "audio/mp4"),
        (b"BM\x36\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0", "a.bmp", "image/bmp"),
        (MP3_FRAME * 2, "noext", "audio/mpeg"),
        (MP3_FRAME + b"noise", "noext", UNKNOWN),
        (AAC_FRAME * 2, "noext", "audio/aac"),
        (_ogg(b"OpusHead"), "noext", "audio/ogg"),
        (_ogg(b"\x80theora"), "a.ogg", "video/ogg"),
        (_zip("[Content_Types].xml", "_rels/.rels", "word/document.xml"), "noext", DOCX),
        (_zip("[Content_Types].xml", "xl/workbook.xml"), "a.docx", XLSX),
        (_zip("_rels/.rels", "ppt/presentation.xml"), "a.zip", PPTX),
        (_zip("mimetype", "content.xml"), "noext", ODT),
        (_zip("notes.txt"), "a.docx", "application/zip"),
        (_zip("notes.txt"), "a.odt", "application/zip"),
        (OLE, "a.doc", "application/msword"),
        (OLE, "a.xls", "application/vnd.ms-excel"),
        (OLE, "a.ppt", "application/vnd.ms-powerpoint"),
        (b"{\\rtf1\\ansi", "noext", "application/rtf"),
    ],
)
def test_the_bytes_decide_and_the_suffix_chooses_among_matching_types(head: bytes, name: str, expected: str) -> None:
    assert detect_content_type(head, name, "application/octet-stream") == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.txt", "text/plain"), ("a.csv", "text/csv"), ("a.md", "text/markdown"), ("a.MP4", "video/mp4")],
)
def test_the_suffix_decides_if_no_signature_matches(name: str, expected: str) -> None:
    assert detect_content_type(b"nothing in particular", name, "text/html") == expected
    assert detect_content_type(b"", name, "text/html") == expected


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
def test_the_claimed_type_comes_last_and_is_never_active_content(claimed: str, expected: str) -> None:
    assert detect_content_type(b"nothing in particular", "diary", claimed) == expected


def test_media_type_parameters_are_removed() -> None:
    assert normalize_media_type("Text/Plain; charset=utf-8") == "text/plain"
    assert normalize_media_type("x" * 300 + "/y") == UNKNOWN


@pytest.mark.parametrize(
    "head",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"\xef\xbb\xbf\n<?xml version='1.0'?>\n<!-- drawn -->\n<svg>",
        b"<!DOCTYPE svg PUBLIC '-//W3C//DTD SVG 1.1//EN' 'svg11.dtd' [ <!ENTITY a 'b>c'> ]>\n<svg width='1'>",
        b"<?xml version='1.0'?><svg:svg xmlns:svg='http://www.w3.org/2000/svg'>",
        "<svg>".encode("utf-16"),
        b"<SVG>",
    ],
)
def test_svg_is_detected_whatever_its_name(head: bytes) -> None:
    assert "image/svg+xml" == detect_content_type(head, "noext", "text/plain")
    assert is_media(head, "a.txt")


@pytest.mark.parametrize("head", [b"no drawing", b"<html><svg>", b"<?xml version='1.0'?><x><svg/></x>", b"<svgx>"])
def test_the_suffix_alone_does_not_make_a_file_svg(head: bytes) -> None:
    assert "image/svg+xml" != detect_content_type(head, "a.svg", "image/svg+xml")
    assert not is_media(head, "a.svg")


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (PNG, "noext"),
        (HEIC, "a.txt"),
        (MP4, "noext"),
        (b"ID3\x04\0\0\0\0\0\0", "a.mp3"),
        (MP3_FRAME * 2, "noext"),
        (b"%PDF-1.7\n", "noext"),
        (_zip("word/document.xml"), "noext"),
        (OLE, "a.doc"),
    ],
)
def test_media_is_recognised_by_its_bytes(head: bytes, name: str) -> None:
    assert is_media(head, name)


@pytest.mark.parametrize(
    ("head", "name"),
    [(b"hello", "a.mp4"), (b"", "a.jpg"), (_zip("a.txt"), "a.docx"), (b"#EXTM3U\n", "a.mp4"), (OLE, "a.msi")],
)
def test_the_name_alone_does_not_make_a_file_media(head: bytes, name: str) -> None:
    assert not is_media(head, name)


def test_an_unreadable_document_is_not_damaged_media() -> None:
    assert all(has_media_suffix(name) for name in ("a.mp4", "a.MP3", "a.jpg"))
    assert not any(has_media_suffix(name) for name in ("a.pdf", "a.docx", "a.svg", "a.txt"))
    assert is_office_document(DOCX)
    assert not is_office_document("application/pdf")


def test_every_signature_of_the_library_is_looked_for() -> None:
    """The quick look at the places of its signatures passes all content in which the library would find one."""
    for signature in (*puremagic.magic_header_array, *puremagic.magic_footer_array):
        content = bytearray(range(256)) * 1024
        end = signature.offset + len(signature.byte_match)
        content[signature.offset : end or None] = signature.byte_match
        assert _has_known_signature(bytes(content)), signature


def test_content_without_a_signature_is_skipped_without_the_library() -> None:
    assert not _has_known_signature(b"\x01\x03\x05\x07" * 1024)
