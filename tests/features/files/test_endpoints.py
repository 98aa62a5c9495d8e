"""Files, folders and the trash over HTTP."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from metastore.kit.ids import new_id
from tests.fixtures.product import Client, Running, running
from tests.fixtures.waiting import eventually

API = "/api/v1"
CONTENT = b"The quick brown fox."


@pytest.fixture
async def product(tmp_path: Path) -> AsyncIterator[Running]:
    """A running server with the embedded default adapters."""
    async with running(tmp_path / "data") as product:
        yield product


@pytest.fixture
async def user(product: Running) -> AsyncIterator[Client]:
    """A client signed in as a new user."""
    async with aclosing(await product.signed_in()) as client:
        yield client


async def upload(user: Client, name: str = "fox.txt", path: str = "/") -> Any:  # noqa: ANN401  JSON
    """Upload a small file and return it."""
    form = {"files": {"file": (name, CONTENT, "text/plain")}, "data": {"path": path}}
    return (await user.json_of("POST", f"{API}/files/upload", 201, **form))["file"]


async def initiate(user: Client, name: str = "fox.txt") -> Any:  # noqa: ANN401  JSON
    """Initiate a multipart upload and return the response."""
    body = {"name": name, "path": "/", "size": 20, "mimeType": "text/plain", "visibility": "PRIVATE"}
    return await user.json_of("POST", f"{API}/files/chunked-upload/initiate", 201, json=body)


async def folder(user: Client, name: str, parent_id: str | None = None) -> Any:  # noqa: ANN401  JSON
    return await user.json_of("POST", f"{API}/folders", 201, json={"name": name, "parentId": parent_id})


async def used(user: Client) -> int:
    return int((await user.json_of("GET", f"{API}/auth/me"))["user"]["storageUsed"])


async def test_a_file_has_exactly_the_documented_fields(user: Client) -> None:
    file = await upload(user, path="/notes")
    shown = await user.json_of("GET", f"{API}/files/{file['id']}")
    assert shown == file
    assert shown["kind"] == "file"
    assert (shown["name"], shown["path"], shown["size"]) == ("fox.txt", "/notes/fox.txt", 20)
    assert (shown["mimeType"], shown["status"], shown["visibility"]) == ("text/plain", "READY", "PRIVATE")
    assert (shown["moderation"], shown["thumbnailUrl"], shown["streamUrl"]) == ("NONE", None, None)
    assert set(shown["processing"]) == {"step", "state", "progress", "error", "reasonCode", "retryable"}
    assert shown["checksum"].partition(":")[0]
    assert shown["createdAt"].endswith("Z")


async def test_a_folder_is_created_listed_renamed_moved_and_trashed(user: Client) -> None:
    outer, inner = await folder(user, "outer"), await folder(user, "inner")
    assert set(outer) == {"kind", "id", "name", "path", "parentId", "createdAt", "updatedAt"}
    url = f"{API}/folders/{inner['id']}"
    moved = await user.json_of("PATCH", url, json={"name": "within", "parentId": outer["id"]})
    assert moved["path"] == "/outer/within"
    assert await user.json_of("GET", url) == moved
    listing = await user.json_of("GET", f"{API}/files", params={"path": "/outer"})
    assert listing["items"] == [moved]
    assert (listing["folder"]["id"], listing["breadcrumb"]) == (outer["id"], [{"id": outer["id"], "name": "outer"}])
    back = await user.json_of("PATCH", url, json={"parentId": None})
    assert (back["name"], back["path"]) == ("within", "/within")
    await user.json_of("DELETE", url, 204)
    assert await user.problem_of("GET", url, 404) == "not-found"


async def test_an_absent_parent_differs_from_null(user: Client) -> None:
    file = await upload(user, path="/box")
    url = f"{API}/files/{file['id']}"
    assert (await user.json_of("PATCH", url, json={"name": "a.txt"}))["path"] == "/box/a.txt"
    assert (await user.json_of("PATCH", url, json={"parentId": None}))["path"] == "/a.txt"


INVALID_CHANGES: list[object] = [
    {"name": None},
    {"visibility": None},
    {"visibility": "SECRET"},
    {"name": 7},
    {"parentId": 7},
    {"name": ""},
    {"name": ".."},
    {"name": "a/b"},
    {"name": "x" * 300},
    {"name": "gpj.\u202eexe"},
    {"name": "a\0b"},
    [],
    "name",
]


async def test_an_invalid_patch_changes_nothing(user: Client) -> None:
    file = await upload(user)
    url = f"{API}/files/{file['id']}"
    for body in INVALID_CHANGES:
        assert await user.problem_of("PATCH", url, 422, json=body) in ("validation-failed", "invalid-name")
    assert await user.json_of("GET", url) == file


async def test_a_lone_surrogate_is_an_invalid_name(user: Client) -> None:
    headers = {"Content-Type": "application/json"}
    response = await user.post(f"{API}/folders", content=b'{"name": "\\ud800"}', headers=headers)
    assert response.status_code in (400, 422)


async def test_emoji_and_all_scripts_round_trip(user: Client) -> None:
    for name in ("👩‍👩‍👧‍👦", "Báo cáo 🇻🇳", "שלום", "ไทย", "日本語"):
        assert (await folder(user, name))["name"] == name
        listing = await user.json_of("GET", f"{API}/files", params={"path": f"/{name}"})
        assert listing["folder"]["name"] == name


INVALID_QUERIES: list[tuple[dict[str, str | int], int, str]] = [
    ({"path": "/.."}, 422, "invalid-path"),
    ({"path": "/a\0"}, 422, "invalid-path"),
    ({"path": "/" + "x" * 300}, 422, "invalid-path"),
    ({"path": "/a" * 70}, 422, "path-too-deep"),
    ({"path": "/none"}, 404, "not-found"),
    ({"parentId": "none"}, 404, "not-found"),
    ({"path": "/", "parentId": "none"}, 422, "validation-failed"),
    ({"sort": "colour"}, 422, "validation-failed"),
    ({"order": "up"}, 422, "validation-failed"),
    ({"limit": 0}, 422, "validation-failed"),
    ({"limit": 201}, 422, "validation-failed"),
    ({"cursor": "forged"}, 422, "invalid-cursor"),
]


async def test_an_invalid_request_gets_its_code(user: Client) -> None:
    for query, status, code in INVALID_QUERIES:
        assert await user.problem_of("GET", f"{API}/files", status, params=query) == code


async def test_a_forged_cursor_is_reported_as_a_field_error(user: Client) -> None:
    response = await user.get(f"{API}/files", params={"cursor": "forged"})
    assert ["cursor"] == [error["field"] for error in response.json()["errors"]]


async def test_if_match_guards_changes(user: Client) -> None:
    file = await upload(user)
    url = f"{API}/files/{file['id']}"
    seen = (await user.get(url)).headers["etag"]
    changed = await user.patch(url, json={"name": "a.txt"}, headers={"If-Match": seen})
    assert changed.status_code == 200
    assert changed.headers["etag"] != seen
    for method, body in (("PATCH", {"name": "b.txt"}), ("DELETE", None)):
        assert await user.problem_of(method, url, 412, json=body, headers={"If-Match": seen}) == "stale"
    await user.json_of("DELETE", url, 204, headers={"If-Match": changed.headers["etag"]})
    made = await user.post(f"{API}/folders", json={"name": "box"})
    target = f"{API}/folders/{made.json()['id']}"
    assert (await user.get(target)).headers["etag"] == made.headers["etag"]
    assert await user.problem_of("DELETE", target, 412, headers={"If-Match": '"x"'}) == "stale"


async def test_a_download_redirects_to_the_bytes(user: Client) -> None:
    file = await upload(user, "Báo cáo.txt")
    response = await user.get(f"{API}/files/{file['id']}/download")
    assert (response.status_code, response.headers["cache-control"]) == (302, "no-store")
    # The URL is absolute, so that it can be passed to another program.
    assert response.headers["location"].startswith(str(user.base_url))
    downloaded = await user.get(response.headers["location"])
    assert (downloaded.status_code, downloaded.content) == (200, CONTENT)
    assert "attachment" in downloaded.headers["content-disposition"]
    assert "B%C3%A1o%20c%C3%A1o.txt" in downloaded.headers["content-disposition"]
    part = await user.get(response.headers["location"], headers={"Range": "bytes=4-8"})
    assert (part.status_code, part.content) == (206, b"quick")
    head = await user.head(f"{API}/files/{file['id']}/download")
    assert (head.status_code, head.content) == (302, b"")
    headers_only = await user.head(head.headers["location"])
    assert (headers_only.status_code, headers_only.headers["content-length"]) == (200, "20")


async def test_an_uploading_file_cannot_be_downloaded(user: Client) -> None:
    file_id = (await initiate(user))["fileId"]
    assert (await user.json_of("GET", f"{API}/files/{file_id}"))["status"] == "UPLOADING"
    assert await user.problem_of("GET", f"{API}/files/{file_id}/download", 409) == "not-ready"


async def test_a_file_without_processing_cannot_be_played_or_retried(user: Client) -> None:
    file = await upload(user)
    assert await user.problem_of("GET", f"{API}/files/{file['id']}/stream", 409) == "not-playable"
    assert await user.problem_of("POST", f"{API}/files/{file['id']}/retry", 409) == "nothing-to-retry"


async def test_conflicts_have_their_codes(user: Client) -> None:
    outer = await folder(user, "outer")
    inner = await folder(user, "inner", outer["id"])
    file = await upload(user)
    again = {"json": {"name": "outer"}}
    assert await user.problem_of("POST", f"{API}/folders", 409, **again) == "name-taken"
    assert await user.problem_of("PATCH", f"{API}/files/{file['id']}", 409, **again) == "name-taken"
    into_itself = {"json": {"parentId": inner["id"]}}
    assert await user.problem_of("PATCH", f"{API}/folders/{outer['id']}", 409, **into_itself) == "move-into-itself"


async def test_the_trash_restores_and_purges(user: Client, product: Running) -> None:
    kept, lost = await upload(user, "kept.txt", "/box"), await upload(user, "lost.txt")
    for file in (kept, lost):
        await user.json_of("DELETE", f"{API}/files/{file['id']}", 204)
    trash = await user.json_of("GET", f"{API}/trash")
    assert [item["name"] for item in trash["items"]] == ["lost.txt", "kept.txt"]
    assert trash["items"][1]["path"] == "/box/kept.txt"
    assert trash["items"][0]["trashedAt"].endswith("Z")
    restored = await user.post(f"{API}/trash/{kept['id']}/restore")
    assert (restored.status_code, restored.json()["path"]) == (200, "/box/kept.txt")
    assert restored.headers["etag"]
    assert await used(user) == 40
    await user.json_of("DELETE", f"{API}/trash/{lost['id']}", 204)
    assert await user.problem_of("DELETE", f"{API}/trash/{lost['id']}", 404) == "not-found"
    assert await used(user) == 20

    async def one_object_is_left() -> bool:
        return len([stored async for stored in product.product.store.list_objects()]) == 1

    await eventually(one_object_is_left)
    await user.json_of("DELETE", f"{API}/trash", 204)
    assert (await user.json_of("GET", f"{API}/trash"))["items"] == []
    assert (await user.get(f"{API}/files/{kept['id']}/download")).status_code == 302


async def test_purging_an_unfinished_upload_aborts_it(user: Client) -> None:
    initiated = await initiate(user)
    await user.json_of("DELETE", f"{API}/files/{initiated['fileId']}", 204)
    await user.json_of("DELETE", f"{API}/trash", 204)

    async def nothing_is_reserved() -> bool:
        return bool((await user.json_of("GET", f"{API}/auth/me"))["user"]["storageReserved"] == 0)

    await eventually(nothing_is_reserved)
    await user.problem_of("GET", f"{API}/files/chunked-upload/{initiated['uploadId']}", 404)


ROUTES = [
    ("GET", "/files/{}"),
    ("PATCH", "/files/{}"),
    ("DELETE", "/files/{}"),
    ("GET", "/files/{}/download"),
    ("GET", "/files/{}/stream"),
    ("POST", "/files/{}/retry"),
    ("GET", "/folders/{}"),
    ("PATCH", "/folders/{}"),
    ("DELETE", "/folders/{}"),
    ("POST", "/trash/{}/restore"),
    ("DELETE", "/trash/{}"),
]


async def test_another_users_nodes_are_not_found(user: Client, product: Running) -> None:
    file, box = await upload(user, path="/theirs"), await folder(user, "box")
    trashed = await folder(user, "trashed")
    await user.json_of("DELETE", f"{API}/folders/{trashed['id']}", 204)
    async with aclosing(await product.signed_in()) as other:
        for method, route in ROUTES:
            body = {"json": {"name": "mine"}} if method == "PATCH" else {}
            for node_id in (file["id"], box["id"], trashed["id"], new_id(), "%00"):
                url = API + route.format(node_id)
                assert await other.problem_of(method, url, 404, **body) == "not-found"
        into = {"json": {"name": "a", "parentId": box["id"]}}
        assert await other.problem_of("POST", f"{API}/folders", 404, **into) == "not-found"
        assert await other.problem_of("GET", f"{API}/files?parentId={box['id']}", 404) == "not-found"
        assert (await other.json_of("GET", f"{API}/files"))["items"] == []
        assert (await other.json_of("GET", f"{API}/trash"))["items"] == []
    assert await user.json_of("GET", f"{API}/files/{file['id']}") == file


async def test_every_endpoint_requires_a_session(product: Running) -> None:
    async with product.client() as anonymous:
        for method, route in [
            *ROUTES,
            ("GET", "/files"),
            ("GET", "/trash"),
            ("DELETE", "/trash"),
            ("POST", "/folders"),
        ]:
            body = {"json": {"name": "mine"}} if method in ("PATCH", "POST") else {}
            url = API + route.format(new_id())
            assert await anonymous.problem_of(method, url, 401, **body) == "not-authenticated"


async def test_creating_a_folder_twice_with_one_idempotency_key_creates_one(user: Client) -> None:
    first, again = [
        await user.post(f"{API}/folders", json={"name": "box"}, headers={"Idempotency-Key": "k1"}) for _ in range(2)
    ]
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
