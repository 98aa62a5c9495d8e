"""Batches of small files over HTTP, with valid and with hostile requests."""

import os
from collections.abc import AsyncIterator
from typing import Any

import httpx

from tests.entrypoints.test_uploads_over_http import storage_of
from tests.fixtures.product import Client

BATCH = "/api/v1/files/upload-batch"
NONE_KEPT: tuple[int, int] = (0, 0)


def form(*files: tuple[str, bytes]) -> list[tuple[str, tuple[str, bytes]]]:
    """Return the parts of a form."""
    return [("file", file) for file in files]


async def send(user: Client, *files: tuple[str, bytes], path: str = "/", **options: Any) -> list[Any]:  # noqa: ANN401  JSON
    """Send a batch and return its items."""
    response = await user.json_of("POST", BATCH, files=form(*files), data={"path": path}, **options)
    items: list[Any] = response["items"]
    return items


async def root_of(user: Client) -> list[Any]:
    items: list[Any] = (await user.json_of("GET", "/api/v1/files?path=/"))["items"]
    return items


async def test_a_dropped_folder_is_stored_in_one_request(user: Client) -> None:
    content = {"photos/2026/a.bin": os.urandom(400), "photos/ghi chú.txt": b"hello", "top.txt": b""}
    items = await send(user, *content.items(), path="/up")
    assert list(content) == [item["name"] for item in items]
    assert [f"/up/{name}" for name in content] == [item["file"]["path"] for item in items]
    for item, expected in zip(items, content.values(), strict=True):
        file = item["file"]
        assert file == await user.json_of("GET", f"/api/v1/files/{file['id']}")
        location = (await user.get(f"/api/v1/files/{file['id']}/download")).headers["location"]
        assert (await user.get(location)).content == expected
    assert await storage_of(user) == (405, 0)


async def test_each_file_has_its_outcome(user: Client) -> None:
    """Bad names, files over the limit and files over the quota are refused; the others are stored."""
    files = [("a.txt", b"a"), ("..", b"b"), ("x/../y", b"c"), ("a.txt", b"d"), ("large", bytes(50_001)), ("\\", b"")]
    fillers = [(f"{number}.bin", bytes(40_000)) for number in range(3)]
    items = await send(user, *files, *fillers, ("last.txt", b"e"))
    assert [
        "a.txt",
        "invalid-name",
        "invalid-path",
        "a (1).txt",
        "file-too-large",
        "invalid-name",
        "0.bin",
        "1.bin",
        "quota-exceeded",
        "last.txt",
    ] == [item["file"]["name"] if "file" in item else item["problem"]["code"] for item in items]
    problem = items[1]["problem"]
    assert {"type", "title", "status", "detail", "instance", "code"} <= problem.keys()
    assert await storage_of(user) == (80_003, 0)


async def test_a_name_that_is_not_utf_8_is_refused(user: Client) -> None:
    body = b'--b\r\nContent-Disposition: form-data; name="file"; filename="\xff.txt"\r\n\r\nx\r\n--b--\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    [item] = (await user.json_of("POST", BATCH, content=body, headers=headers))["items"]
    assert ("?.txt", "invalid-name") == (item["name"], item["problem"]["code"])


async def test_more_than_two_hundred_files_are_refused(user: Client) -> None:
    files = form(*((f"{number}", b"x") for number in range(201)))
    assert "validation-failed" == await user.problem_of("POST", BATCH, 422, files=files)
    assert ([], NONE_KEPT) == (await root_of(user), await storage_of(user))


async def test_a_body_over_sixty_four_mebibytes_is_refused(user: Client) -> None:
    """With its length announced, and without."""

    async def body() -> AsyncIterator[bytes]:
        for _ in range(66):
            yield bytes(2**20)

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    assert "body-too-large" == await user.problem_of(
        "POST", BATCH, 413, content=body(), headers={**headers, "Content-Length": str(66 * 2**20)}
    )
    begun = b'--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'

    async def unannounced() -> AsyncIterator[bytes]:
        yield begun
        async for chunk in body():
            yield chunk

    assert "body-too-large" == await user.problem_of("POST", BATCH, 413, content=unannounced(), headers=headers)
    assert ([], NONE_KEPT) == (await root_of(user), await storage_of(user))


async def test_an_incomplete_or_malformed_form_is_refused_and_nothing_is_kept(user: Client) -> None:
    whole = httpx.Request("POST", "http://x", files=form(("a.txt", b"hello"), ("b.txt", b"hello")))
    body, content_type = whole.read(), {"Content-Type": whole.headers["Content-Type"]}
    for cut in (0, 10, len(body) // 2, len(body) - 5):
        assert "bad-request" == await user.problem_of("POST", BATCH, 400, content=body[:cut], headers=content_type)
    assert "unsupported-media-type" == await user.problem_of("POST", BATCH, 415, json={"path": "/"})
    assert ([], NONE_KEPT) == (await root_of(user), await storage_of(user))


async def test_one_idempotency_key_stores_a_batch_once(user: Client) -> None:
    headers = {"Idempotency-Key": "first-batch"}
    responses = [
        await user.post(BATCH, files=form(("a.txt", b"hello"), ("..", b"")), headers=headers) for _ in range(2)
    ]
    assert responses[0].content == responses[1].content
    assert "true" == responses[1].headers["Idempotency-Replayed"]
    assert await storage_of(user) == (5, 0)
    other = {"files": form(("a.txt", b"other"), ("..", b"")), "headers": headers}
    assert "idempotency-key-reused" == await user.problem_of("POST", BATCH, 422, **other)


async def test_a_batch_needs_a_session(user: Client) -> None:
    user.cookies.clear()
    await user.problem_of("POST", BATCH, 401, files=form(("a.txt", b"hello")))
