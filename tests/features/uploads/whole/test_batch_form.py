"""The form of a batch, in one piece and in many, well-formed and hostile."""

import os
from collections.abc import AsyncIterator

import httpx
import pytest

from metastore.features.uploads.whole.batch_form import BatchForm, parse_batch_form
from metastore.kit.problems.problem import Problem

MIB = 2**20
LIMIT = 64 * MIB


def encoded(files: list[tuple[str, bytes]], **fields: str) -> tuple[str, bytes]:
    """Return content type and body of a form."""
    request = httpx.Request("POST", "http://x", files=[("file", file) for file in files], data=fields)
    return request.headers["content-type"], request.read()


async def pieces(body: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


async def parsed(content_type: str, body: bytes, piece: int = MIB) -> BatchForm:
    return await parse_batch_form(content_type, pieces(body, piece), LIMIT)


@pytest.mark.parametrize("piece", [1, 7, 1000, MIB])
async def test_the_pieces_in_which_a_form_arrives_make_no_difference(piece: int) -> None:
    sent = [("a/b/c.txt", b"hello"), ("ghi chú.txt", b"\r\n--\r\n" * 50), ("empty", b""), ("d.bin", os.urandom(3000))]
    content_type, body = encoded(sent, path="/up/here")
    form = await parsed(content_type, body, piece)
    files = form.files
    assert ["/up/here/a/b", "/up/here/", "/up/here/", "/up/here/"] == [file.path for file in files]
    assert ["c.txt", "ghi chú.txt", "empty", "d.bin"] == [file.name for file in files]
    assert [content for _, content in sent] == [await file.content.read(0, file.content.size) for file in files]
    assert form.fingerprint() == (await parsed(*encoded(sent, path="/up/here"))).fingerprint()
    assert form.fingerprint() != (await parsed(*encoded(sent, path="/up/there"))).fingerprint()


async def test_a_form_that_is_not_hashed_has_no_fingerprint() -> None:
    content_type, body = encoded([("a.txt", b"hello")])
    form = await parse_batch_form(content_type, pieces(body, MIB), LIMIT, hashed=False)
    assert [b"hello"] == [await file.content.read(0, 5) for file in form.files]
    with pytest.raises(ValueError, match="not hashed"):
        form.fingerprint()


async def test_a_form_that_exceeds_the_memory_limit_continues_in_a_file() -> None:
    sent = [(f"{number}", os.urandom(MIB + number)) for number in range(20)]
    form = await parsed(*encoded(sent), 64 * 1024)
    try:
        assert [content for _, content in sent] == [
            await file.content.read(0, file.content.size) for file in form.files
        ]
        assert sent[7][1][5:9] == await form.files[7].content.read(5, 4)
        assert b"" == await form.files[7].content.read(2 * MIB, 4)
    finally:
        form.close()


async def test_two_hundred_files_are_the_limit() -> None:
    assert 200 == len((await parsed(*encoded([("x", b"")] * 200))).files)
    with pytest.raises(Problem) as refused:
        await parsed(*encoded([("x", b"")] * 201))
    assert 422 == refused.value.status


async def test_a_form_without_a_file_is_refused() -> None:
    with pytest.raises(Problem) as refused:
        await parsed(
            "multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; name="path"\r\n\r\n/\r\n--b--'
        )
    assert 422 == refused.value.status


async def test_a_body_over_the_limit_is_refused() -> None:
    content_type, body = encoded([("x", bytes(1000))])
    with pytest.raises(Problem) as refused:
        await parse_batch_form(content_type, pieces(body, 100), 900)
    assert (413, "body-too-large") == (refused.value.status, refused.value.code)


@pytest.mark.parametrize("cut", [1, 50, 200, 900, 1150])
async def test_a_form_that_ends_too_early_is_refused(cut: int) -> None:
    content_type, body = encoded([("x", bytes(1000))])
    with pytest.raises(Problem) as refused:
        await parsed(content_type, body[:cut])
    assert (400, "bad-request") == (refused.value.status, refused.value.code)


@pytest.mark.parametrize("body", [b"", b"no form", b"--b", b"--b\r\nno header\r\n\r\nx\r\n--b--\r\n", b"--c\r\n\r\n"])
async def test_a_malformed_form_is_refused(body: bytes) -> None:
    with pytest.raises(Problem) as refused:
        await parsed("multipart/form-data; boundary=b", body)
    assert (400, "bad-request") == (refused.value.status, refused.value.code)


@pytest.mark.parametrize("content_type", ["", "application/json", "multipart/form-data", "text/plain; boundary=b"])
async def test_another_content_type_is_refused(content_type: str) -> None:
    with pytest.raises(Problem) as refused:
        await parsed(content_type, b"{}")
    assert 415 == refused.value.status


async def test_a_part_that_lies_about_its_length_has_a_problem() -> None:
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\nContent-Length: '
    body = head + b"4\r\n\r\ntrue\r\n" + head + b"1000000\r\n\r\nlie\r\n--b--\r\n"
    files = (await parsed("multipart/form-data; boundary=b", body)).files
    assert [None, "length-mismatch"] == [file.problem and file.problem.code for file in files]


async def test_a_quotation_mark_in_a_filename_is_sent_escaped() -> None:
    body = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a %22b%22"\r\n\r\n\r\n--b--\r\n'
    assert ['a "b"'] == [file.name for file in (await parsed("multipart/form-data; boundary=b", body)).files]
