"""Uploads over HTTP, with valid and with hostile requests."""

from contextlib import aclosing
from typing import Any

import httpx
import pytest

from tests.fixtures.product import Client, Running

UPLOADS = "/api/v1/files/chunked-upload"
CONTENT = bytes(range(256)) * 10


def upload_request(**fields: object) -> dict[str, object]:
    """Return the body of an initiate request."""
    defaults: dict[str, object] = {
        "name": "film.bin",
        "path": "/",
        "size": len(CONTENT),
        "mimeType": "application/octet-stream",
        "visibility": "PRIVATE",
    }
    return {**defaults, **fields}


async def initiate(client: Client, **fields: object) -> Any:  # noqa: ANN401  JSON
    return await client.json_of("POST", f"{UPLOADS}/initiate", 201, json=upload_request(**fields))


async def send(client: Client, upload: Any, content: bytes = CONTENT) -> list[dict[str, object]]:  # noqa: ANN401  JSON
    """PUT all parts and return the body for complete."""
    size = upload["partSize"]
    parts: list[dict[str, object]] = []
    for number, url in enumerate(upload["uploadUrls"], 1):
        response = await client.put(url, content=content[(number - 1) * size : number * size])
        assert response.status_code == 200, response.text
        parts.append({"partNumber": number, "etag": response.headers["etag"]})
    return parts


def completion(upload: Any, parts: list[dict[str, object]]) -> dict[str, object]:  # noqa: ANN401  JSON
    return {"fileId": upload["fileId"], "uploadId": upload["uploadId"], "parts": parts}


async def complete(client: Client, upload: Any, parts: list[dict[str, object]]) -> Any:  # noqa: ANN401  JSON
    return await client.json_of("POST", f"{UPLOADS}/complete", json=completion(upload, parts))


async def storage_of(client: Client) -> tuple[int, int]:
    user = (await client.json_of("GET", "/api/v1/auth/me"))["user"]
    return user["storageUsed"], user["storageReserved"]


async def test_a_file_is_uploaded_in_parts_and_downloaded_unchanged(user: Client) -> None:
    upload = await initiate(user, path="/films/2026")
    assert len(upload["uploadUrls"]) == 3
    assert all(httpx.URL(url).is_absolute_url for url in upload["uploadUrls"])
    response = await complete(user, upload, await send(user, upload))
    file = response["file"]
    assert (file["path"], file["size"], file["status"]) == ("/films/2026/film.bin", len(CONTENT), "READY")

    redirect = await user.get(f"/api/v1/files/{file['id']}/download")
    assert redirect.status_code == 302
    whole = await user.get(redirect.headers["location"])
    assert whole.content == CONTENT
    part = await user.get(redirect.headers["location"], headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, CONTENT[100:200])
    assert await storage_of(user) == (len(CONTENT), 0)


async def test_part_urls_need_no_cookie(product: Running, user: Client) -> None:
    upload = await initiate(user)
    async with product.client() as unauthenticated:
        parts = await send(unauthenticated, upload)
    assert (await complete(user, upload, parts))["file"]["status"] == "READY"


async def test_an_unfinished_upload_returns_what_is_needed_to_resume_it(user: Client) -> None:
    upload = await initiate(user)
    first = await user.put(upload["uploadUrls"][0], content=CONTENT[:1000])
    listed = await user.json_of("GET", UPLOADS)
    assert [(item["uploadId"], item["receivedBytes"]) for item in listed["items"]] == [(upload["uploadId"], 1000)]
    state = await user.json_of("GET", f"{UPLOADS}/{upload['uploadId']}")
    assert state["parts"] == [{"partNumber": 1, "etag": first.headers["etag"].strip('"'), "size": 1000}]
    response = await complete(user, upload, await send(user, {**upload, "uploadUrls": state["uploadUrls"]}))
    assert response["file"]["status"] == "READY"


async def test_an_aborted_upload_releases_its_reservation(user: Client) -> None:
    upload = await initiate(user)
    parts = await send(user, upload)
    assert await user.json_of("DELETE", f"{UPLOADS}/{upload['uploadId']}", 204) is None
    assert await storage_of(user) == (0, 0)
    assert (await user.json_of("GET", "/api/v1/files?path=/"))["items"] == []
    late = await user.put(upload["uploadUrls"][0], content=CONTENT[:1000])
    assert 400 <= late.status_code < 500
    assert await user.problem_of("POST", f"{UPLOADS}/complete", 404, json=completion(upload, parts)) == (
        "upload-not-found"
    )


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"size": -1}, 422, "validation-failed"),
        ({"size": 1.5}, 422, "validation-failed"),
        ({"size": "12"}, 422, "validation-failed"),
        ({"size": 50_001}, 413, "file-too-large"),
        ({"size": 2**70}, 413, "file-too-large"),
        ({"name": ""}, 422, "validation-failed"),
        ({"name": "a\0b"}, 422, "invalid-name"),
        ({"name": "a/b"}, 422, "invalid-name"),
        ({"name": ".."}, 422, "invalid-name"),
        ({"name": "é" * 150}, 422, "invalid-name"),
        ({"path": "/a/../b"}, 422, "invalid-path"),
        ({"path": "/a\0"}, 422, "invalid-path"),
        ({"path": "/" + "x" * 300}, 422, "invalid-path"),
        ({"visibility": "EVERYBODY"}, 422, "validation-failed"),
        ({"mimeType": "x" * 300}, 422, "validation-failed"),
    ],
)
async def test_an_invalid_request_gets_its_code_and_changes_nothing(
    user: Client, fields: dict[str, object], status: int, code: str
) -> None:
    assert await user.problem_of("POST", f"{UPLOADS}/initiate", status, json=upload_request(**fields)) == code
    assert await storage_of(user) == (0, 0)
    assert (await user.json_of("GET", "/api/v1/files?path=/"))["items"] == []


async def test_the_quota_is_not_exceeded_and_the_error_says_by_how_much(user: Client) -> None:
    for number in range(2):
        await initiate(user, name=f"{number}", size=45_000)
    response = await user.post(f"{UPLOADS}/initiate", json=upload_request(size=10_001))
    assert (response.status_code, response.json()["code"]) == (413, "quota-exceeded")
    assert (response.json()["quota"], response.json()["reserved"]) == (100_000, 90_000)
    await initiate(user, size=10_000)


@pytest.mark.parametrize("body", ["[]", "{", '"x"', "nul", "{}", '{"name": 5}'])
async def test_json_of_the_wrong_shape_is_refused(user: Client, body: str) -> None:
    response = await user.post(f"{UPLOADS}/initiate", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code in (400, 422)
    assert response.json()["code"] in ("malformed-json", "validation-failed")


async def test_a_body_over_the_limit_is_refused(user: Client) -> None:
    body = b'{"name": "' + b"x" * 3 * 2**20 + b'"}'
    headers = {"Content-Type": "application/json"}
    assert await user.problem_of("POST", f"{UPLOADS}/initiate", 413, content=body, headers=headers) == "body-too-large"


@pytest.mark.parametrize("number", [0, -1, 4, 10_001])
async def test_a_part_number_out_of_range_is_named(user: Client, number: int) -> None:
    upload = await initiate(user)
    parts = await send(user, upload)
    response = await user.post(
        f"{UPLOADS}/complete", json=completion(upload, [*parts[:2], {"partNumber": number, "etag": "x"}])
    )
    assert (response.status_code, response.json()["code"], response.json()["partNumber"]) == (
        400,
        "invalid-part",
        number,
    )
    await complete(user, upload, parts)


async def test_missing_parts_and_wrong_etags_are_named_and_the_upload_stays_open(user: Client) -> None:
    upload = await initiate(user)
    parts = await send(user, upload)
    url = f"{UPLOADS}/complete"
    response = await user.post(url, json=completion(upload, parts[:2]))
    assert (response.status_code, response.json()["code"], response.json()["partNumber"]) == (400, "missing-part", 3)
    wrong = [parts[0], {"partNumber": 2, "etag": parts[0]["etag"]}, parts[2]]
    response = await user.post(url, json=completion(upload, wrong))
    assert (response.status_code, response.json()["code"], response.json()["partNumber"]) == (400, "invalid-part", 2)
    first = await complete(user, upload, parts)
    assert await complete(user, upload, parts) == first


async def test_a_part_that_was_listed_but_not_sent_is_named(user: Client) -> None:
    upload = await initiate(user)
    parts = (await send(user, {**upload, "uploadUrls": upload["uploadUrls"][:2]})) + [{"partNumber": 3, "etag": "x"}]
    response = await user.post(f"{UPLOADS}/complete", json=completion(upload, parts))
    assert (response.status_code, response.json()["partNumber"]) == (400, 3)


@pytest.mark.parametrize("length", [0, 999, 1001, 5000])
async def test_a_part_of_another_length_is_refused_and_not_kept(user: Client, length: int) -> None:
    upload = await initiate(user)
    response = await user.put(upload["uploadUrls"][0], content=b"x" * length)
    assert 400 <= response.status_code < 500
    assert (await user.json_of("GET", f"{UPLOADS}/{upload['uploadId']}"))["parts"] == []


async def test_a_tampered_part_url_is_refused_and_nothing_is_kept(user: Client) -> None:
    upload = await initiate(user)
    url = httpx.URL(upload["uploadUrls"][0])
    for name, value in url.params.items():
        changed = url.copy_set_param(name, ("0" if value[-1] != "0" else "1").join((value[:-1], "")))
        response = await user.put(changed, content=CONTENT[:1000])
        assert 400 <= response.status_code < 500, (name, response.status_code)
    other_path = url.copy_with(path=url.path + "x")
    assert 400 <= (await user.put(other_path, content=CONTENT[:1000])).status_code < 500
    assert (await user.json_of("GET", f"{UPLOADS}/{upload['uploadId']}"))["parts"] == []


async def test_a_part_url_is_valid_for_its_part_only(user: Client) -> None:
    upload = await initiate(user)
    other = await initiate(user, name="other.bin")
    await send(user, upload)
    assert (await user.json_of("GET", f"{UPLOADS}/{other['uploadId']}"))["parts"] == []
    response = await user.get(upload["uploadUrls"][0])
    assert 400 <= response.status_code < 500


async def test_a_part_after_complete_is_refused_and_the_file_is_unchanged(user: Client) -> None:
    upload = await initiate(user)
    file = (await complete(user, upload, await send(user, upload)))["file"]
    late = await user.put(upload["uploadUrls"][0], content=b"y" * 1000)
    assert 400 <= late.status_code < 500
    location = (await user.get(f"/api/v1/files/{file['id']}/download")).headers["location"]
    assert (await user.get(location)).content == CONTENT


async def test_other_users_and_unauthenticated_clients_have_no_access(product: Running, user: Client) -> None:
    upload = await initiate(user)
    parts = await send(user, upload)
    async with aclosing(await product.signed_in()) as other_user, product.client() as unauthenticated:
        for client, status in ((other_user, 404), (unauthenticated, 401)):
            await client.problem_of("GET", f"{UPLOADS}/{upload['uploadId']}", status)
            await client.problem_of("DELETE", f"{UPLOADS}/{upload['uploadId']}", status)
            await client.problem_of("POST", f"{UPLOADS}/complete", status, json=completion(upload, parts))
    await complete(user, upload, parts)


async def test_one_idempotency_key_initiates_once(user: Client) -> None:
    headers = {"Idempotency-Key": "first-try"}
    responses = [await user.post(f"{UPLOADS}/initiate", json=upload_request(), headers=headers) for _ in range(2)]
    assert responses[0].json() == responses[1].json()
    assert responses[1].headers["Idempotency-Replayed"] == "true"
    assert await storage_of(user) == (0, len(CONTENT))
    reused = {"json": upload_request(name="x"), "headers": headers}
    assert await user.problem_of("POST", f"{UPLOADS}/initiate", 422, **reused) == "idempotency-key-reused"


async def test_a_small_file_is_uploaded_in_one_request(user: Client) -> None:
    form = {"file": ("ghi chú.txt", b"hello", "text/plain")}
    response = await user.json_of("POST", "/api/v1/files/upload", 201, files=form, data={"path": "/a"})
    assert (response["file"]["path"], response["file"]["size"]) == ("/a/ghi chú.txt", 5)
    location = (await user.get(f"/api/v1/files/{response['file']['id']}/download")).headers["location"]
    assert (await user.get(location)).content == b"hello"
    assert await storage_of(user) == (5, 0)


@pytest.mark.parametrize(
    ("form", "data", "status"),
    [
        ({"file": ("a.txt", b"x" * 200_000, "text/plain")}, {}, 413),
        ({"file": ("..", b"x", "text/plain")}, {}, 422),
        ({"file": ("a.txt", b"x", "text/plain")}, {"path": "/a/../b"}, 422),
        ({"file": ("a.txt", b"x", "text/plain")}, {"visibility": "x"}, 422),
        ({"other": ("a.txt", b"x", "text/plain")}, {}, 422),
    ],
)
async def test_an_invalid_simple_upload_is_refused_and_nothing_is_kept(
    user: Client, form: dict[str, Any], data: dict[str, str], status: int
) -> None:
    await user.problem_of("POST", "/api/v1/files/upload", status, files=form, data=data)
    assert await storage_of(user) == (0, 0)
    assert (await user.json_of("GET", "/api/v1/files?path=/"))["items"] == []
