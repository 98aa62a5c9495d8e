"""Every route in the OpenAPI description requires the right permissions.

Who may call a route is listed in ``docs/access.md``, so that a new one is either protected or reviewed.
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest

from metastore.features.auth.access import RouteCaller
from metastore.kit.ids import new_id
from tests.fixtures.access_page import listed_callers
from tests.fixtures.process import MetastoreProcess, running_metastore
from tests.fixtures.product import Client
from tests.reliability.http_uploads import (
    Sending,
    all_items,
    anonymous_client,
    new_user,
    simple_upload,
    some_bytes,
    the_admin,
)

CALLERS = listed_callers()
REFRESH = ("POST", "/api/v1/auth/refresh")
"""Anyone may call it, but without the refresh token's cookie the response is 401 as well."""
METHODS = {"get", "post", "put", "patch", "delete", "head"}
LEAKS = re.compile(
    r"Traceback|sqlalchemy|sqlite|asyncpg|SELECT |INSERT |/src/|site-packages|\.py\b|/tmp/|/home/", re.IGNORECASE
)

Route = tuple[str, str, dict[str, Any]]


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MetastoreProcess]:
    """A running product."""
    with running_metastore(tmp_path_factory.mktemp("routes")) as product:
        yield product


async def test_every_route_but_the_public_ones_requires_a_session(product: MetastoreProcess) -> None:
    """The response is 401, whatever the request contains."""
    async with anonymous_client(product.address) as anonymous:
        for method, path, operation in await _routes(anonymous):
            url = _filled(path, new_id())
            for body in _bodies(operation):
                response = await anonymous.request(method, url, **body)
                if "{token}" in path:
                    assert response.status_code == 404, f"{method} {path}: {response.status_code}"
                elif CALLERS[method, path] is RouteCaller.PUBLIC and (method, path) != REFRESH:
                    assert response.status_code < 500, f"{method} {path}: {response.status_code}"
                else:
                    assert response.status_code == 401, f"{method} {path}: {response.status_code} {response.text[:200]}"
                assert not LEAKS.search(response.text), f"{method} {path}: {response.text}"


async def test_ids_of_another_user_are_not_found(product: MetastoreProcess) -> None:
    """Each id is tried in every path of the API; the response is that for an id that never existed."""
    async with new_user(product.address) as owner, new_user(product.address) as other:
        ids = await _items_of(owner)
        before = await _lists_of(owner)
        for method, path, operation in await _routes(other):
            if "{" not in path or CALLERS[method, path] is RouteCaller.ADMIN:
                continue
            body = _bodies(operation)[-1]
            for kind, theirs in ids.items():
                response = await other.request(method, _filled(path, theirs), **body)
                unknown = await other.request(method, _filled(path, new_id()), **body)
                where = f"{method} {path} with a {kind}: {response.status_code} {response.text[:200]}"
                assert response.status_code == unknown.status_code, where
                assert response.status_code in (404, 422), where
                if method != "HEAD" and response.status_code == 404:
                    assert _without_ids(response.json()) == _without_ids(unknown.json()), where
                assert not LEAKS.search(response.text), where
        assert await _lists_of(owner) == before


async def test_ids_in_a_body_are_checked_like_those_in_a_path(product: MetastoreProcess) -> None:
    """Nothing can be created in or moved to a folder of another user."""
    async with new_user(product.address) as owner, new_user(product.address) as other:
        ids = await _items_of(owner)
        own = await _items_of(other)
        attempts = [
            ("POST", "/api/v1/folders", {"name": "inside", "parentId": ids["folder"]}),
            ("PATCH", f"/api/v1/folders/{own['folder']}", {"parentId": ids["folder"]}),
            ("PATCH", f"/api/v1/files/{own['file']}", {"parentId": ids["folder"]}),
            ("POST", "/api/v1/archives", {"ids": [own["file"], ids["file"]]}),
            ("POST", "/api/v1/archives", {"ids": [ids["folder"]]}),
            ("POST", "/api/v1/share-links", {"resourceId": ids["folder"], "permission": "VIEW"}),
            ("POST", "/api/v1/share-links", {"resourceId": ids["file"], "permission": "DOWNLOAD"}),
        ]
        for method, url, body in attempts:
            response = await other.request(method, url, json=body)
            assert response.status_code == 404, f"{method} {url}: {response.status_code} {response.text}"
        assert (await other.get("/api/v1/files", params={"parentId": ids["folder"]})).status_code == 404
        mixed = {"fileId": own["uploading"], "uploadId": ids["upload"], "parts": []}
        assert (await other.post("/api/v1/files/chunked-upload/complete", json=mixed)).status_code == 404
        mixed = {"fileId": ids["uploading"], "uploadId": own["upload"], "parts": []}
        assert (await other.post("/api/v1/files/chunked-upload/complete", json=mixed)).status_code == 404


async def test_admin_routes_are_for_admins_only(product: MetastoreProcess) -> None:
    """Other users get 403; admins do not see other people's files either."""
    async with new_user(product.address) as user, the_admin(product.address) as admin:
        found = await _routes(user, RouteCaller.ADMIN)
        assert found == [route for route in await _routes(user) if "/admin/" in route[1]] != []
        for method, path, operation in found:
            response = await user.request(method, _filled(path, new_id()), **_bodies(operation)[-1])
            assert response.status_code == 403, f"{method} {path}: {response.status_code}"
        ids = await _items_of(user)
        assert (await admin.get(f"/api/v1/files/{ids['file']}")).status_code == 404
        assert (await admin.get(f"/api/v1/files/{ids['file']}/download")).status_code == 404


async def test_users_may_call_what_is_listed_for_them(product: MetastoreProcess) -> None:
    """The response is neither 401 nor 403, so that no route is listed for more callers than it serves."""
    async with new_user(product.address) as user:
        for method, path, operation in await _routes(user, RouteCaller.USER):
            response = await user.request(method, _filled(path, new_id()), **_bodies(operation)[-1])
            assert response.status_code < 500, f"{method} {path}: {response.status_code}"
            assert response.status_code not in (401, 403), f"{method} {path}: {response.status_code}"


async def test_admins_may_call_every_route(product: MetastoreProcess) -> None:
    """Those for admins, and those for users for their own files."""
    async with the_admin(product.address) as admin:
        routes = [*await _routes(admin, RouteCaller.ADMIN), *await _routes(admin, RouteCaller.USER)]
        for method, path, operation in routes:
            response = await admin.request(method, _filled(path, new_id()), **_bodies(operation)[-1])
            assert response.status_code < 500, f"{method} {path}: {response.status_code}"
            assert response.status_code not in (401, 403), f"{method} {path}: {response.status_code}"


async def test_suspended_users_may_call_nothing_but_the_public_routes(product: MetastoreProcess) -> None:
    """Not even with an access token that is still valid; an admin who is suspended is no admin."""
    for role in ("USER", "ADMIN"):
        async with new_user(product.address) as user, anonymous_client(product.address) as anonymous:
            _change_account(product, await user.json_of("GET", "/api/v1/auth/me"), role=role, status="SUSPENDED")
            for caller in (RouteCaller.USER, RouteCaller.ADMIN):
                for method, path, operation in await _routes(user, caller):
                    where = f"{method} {path} as a suspended {role}"
                    response = await user.request(method, _filled(path, new_id()), **_bodies(operation)[-1])
                    assert response.status_code == 403, f"{where}: {response.status_code}"
                    if method != "HEAD":
                        assert response.json()["code"] == "account-suspended", where
            for method, path, operation in await _routes(user, RouteCaller.PUBLIC):
                if (method, path) == REFRESH:
                    continue
                request = _filled(path, new_id()), _bodies(operation)[0]
                response = await user.request(method, request[0], **request[1])
                expected = await anonymous.request(method, request[0], **request[1])
                assert response.status_code == expected.status_code, f"{method} {path}: {response.status_code}"


async def test_what_is_beside_the_routes_checks_its_callers_itself(product: MetastoreProcess) -> None:
    """Objects need a signature, sockets a cookie; what remains is the same for everyone."""
    async with anonymous_client(product.address) as anonymous, new_user(product.address) as user:
        for client in (anonymous, user):
            assert (await client.get("/objects/files/x")).status_code == 403
            for path in ("/openapi.json", "/docs", "/metrics", "/"):
                expected = (await anonymous.get(path)).status_code
                assert (await client.get(path)).status_code == expected == 200, path
        opened = await anonymous.get("/socket.io/?EIO=4&transport=polling")
        session = opened.text.partition('"sid":"')[2].partition('"')[0]
        polling = f"/socket.io/?EIO=4&transport=polling&sid={session}"
        await anonymous.post(polling, content="40")
        assert "not-authenticated" in (await anonymous.get(polling)).text


async def test_malformed_requests_are_refused_without_leaking_internals(product: MetastoreProcess) -> None:
    """They never cause a 5xx, and no response contains a stack trace, SQL or a path."""
    malformed: list[dict[str, Any]] = [
        {"content": b"{" * 50_000, "headers": {"Content-Type": "application/json"}},
        {"content": b"[" * 100_000 + b"]" * 100_000, "headers": {"Content-Type": "application/json"}},
        {"content": b'{"name": NaN, "size": 1e999}', "headers": {"Content-Type": "application/json"}},
        {"content": b'{"name": "\xff\xfe"}', "headers": {"Content-Type": "application/json"}},
        {
            "content": b'{"name": "\\ud800", "username": "\\ud800", "path": "\\udfff"}',
            "headers": {"Content-Type": "application/json"},
        },
        {"content": b"null", "headers": {"Content-Type": "application/json"}},
        {"content": b"{}", "headers": {"Content-Type": "text/plain"}},
        {"content": b"--x\r\n", "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
        {"content": b"", "headers": {"Content-Type": "multipart/form-data"}},
    ]
    ids = ["%00", "%2e%2e", "a" * 3000, "%ff%fe", "'%20OR%201=1--", "%F0%9F%A4%96"]
    async with new_user(product.address) as user:
        for method, path, operation in await _routes(user):
            if path.endswith("/logout"):
                continue
            attempts: list[tuple[str, dict[str, Any]]] = [
                (_filled(path, new_id()), body) for body in malformed if "requestBody" in operation
            ]
            attempts += [(_filled(path, value), {}) for value in ids if "{" in path]
            attempts += [
                (f"{_filled(path, new_id())}?{query}", {})
                for query in (
                    "limit=-1",
                    "limit=1e9",
                    "cursor=AAAA",
                    "cursor=%00",
                    "path=%00",
                    "sort=;drop",
                    "from=x&to=y",
                )
                if method == "GET"
            ]
            for url, body in attempts:
                response = await _send(user, method, url, body)
                assert response.status_code < 500, f"{method} {url[:100]} {str(body)[:80]}: {response.text[:300]}"
                assert not LEAKS.search(response.text.replace(url, "")), f"{method} {url[:100]}: {response.text[:300]}"
        await user.json_of("GET", "/api/v1/auth/me")
    assert "Traceback" not in product.output()


async def _routes(client: Client, caller: RouteCaller | None = None) -> list[Route]:
    """Return all routes, or those that are listed for ``caller``."""
    document = (await client.get("/openapi.json")).json()
    found = [
        (method.upper(), path, operation)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if method in METHODS
    ]
    assert len(found) > 25
    unlisted = {(method, path) for method, path, _ in found} - CALLERS.keys()
    assert not unlisted, f"{unlisted} must be listed in docs/access.md"
    return [route for route in found if caller in (None, CALLERS[route[:2]])]


def _change_account(product: MetastoreProcess, me: dict[str, Any], *, role: str, status: str) -> None:
    """Change an account in the database, as no route can yet."""
    with closing(sqlite3.connect(product.data_dir / "metastore.db", timeout=30)) as database, database:
        user_id = me["user"]["id"]
        database.execute("UPDATE users SET role = ?, status = ? WHERE id = ?", (role, status, user_id))


async def _send(client: Client, method: str, url: str, body: dict[str, Any]) -> httpx.Response:
    """Return the response. Like browsers, repeat the request if its connection was closed after a refusal."""
    try:
        return await client.request(method, url, **body)
    except httpx.RemoteProtocolError:
        return await client.request(method, url, **body)


def _filled(path: str, value: str) -> str:
    """Return ``path`` with ``value`` in place of each parameter."""
    return re.sub(r"\{\w+\}", value, path)


def _bodies(operation: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the bodies to send: none, and one of the right content type."""
    content = operation.get("requestBody", {}).get("content", {})
    if "multipart/form-data" in content:
        return [{}, {"files": {"file": ("x.bin", b"x")}}]
    return [{}, {"json": {"name": "x"}}] if content else [{}]


async def _items_of(owner: Client) -> dict[str, str]:
    """Create one of each thing that a user can have and return their ids."""
    folder = await owner.json_of("POST", "/api/v1/folders", 201, json={"name": "private"})
    file = (await simple_upload(owner, some_bytes(100))).json()["file"]
    trashed = (await simple_upload(owner, some_bytes(100), "old.bin")).json()["file"]
    await owner.json_of("DELETE", f"/api/v1/files/{trashed['id']}", 204)
    uploading = await Sending.begin(owner, some_bytes(100))
    session = (await all_items(owner, "/api/v1/auth/sessions"))[0]
    shared = {"resourceId": folder["id"], "permission": "VIEW"}
    link = await owner.json_of("POST", "/api/v1/share-links", 201, json=shared)
    return {
        "folder": folder["id"],
        "file": file["id"],
        "trashed file": trashed["id"],
        "uploading": uploading.file_id,
        "upload": uploading.upload_id,
        "session": session["id"],
        "share link": link["id"],
    }


async def _lists_of(owner: Client) -> list[Any]:
    lists = ("files", "trash", "files/chunked-upload", "auth/sessions", "share-links")
    return [await all_items(owner, f"/api/v1/{path}") for path in lists]


def _without_ids(problem: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in problem.items() if name != "instance"}
