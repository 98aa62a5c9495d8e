"""The audit trail over HTTP."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from metastore.features.auth.models import User
from tests.fixtures.product import Client, Running, running
from tests.fixtures.waiting import eventually

API = "/api/v1/admin/audit-logs"


@pytest.fixture
async def product(tmp_path: Path) -> AsyncIterator[Running]:
    """A running server with the embedded default adapters."""
    async with running(tmp_path / "data") as product:
        yield product


@pytest.fixture
async def admin(product: Running) -> AsyncIterator[Client]:
    """A client signed in as an admin."""
    async with aclosing(await product.signed_in("root-user")) as client:
        async with product.product.database.transaction() as tx:
            await tx.session.execute(update(User).where(User.username == "root-user").values(role="ADMIN"))
        yield client


async def entry(admin: Client, query: str) -> Any:  # noqa: ANN401  JSON
    """Return the latest entry that matches, once there is one."""

    async def found() -> Any:  # noqa: ANN401  JSON
        items = (await admin.json_of("GET", f"{API}?{query}"))["items"]
        return items[0] if items else None

    return await eventually(found)


async def id_of(client: Client) -> str:
    """Return the ID of the user signed in on the client."""
    return str((await client.json_of("GET", "/api/v1/auth/me"))["user"]["id"])


async def test_actions_are_logged_with_their_request_context(product: Running, admin: Client) -> None:
    """An upload is logged with actor, action, resource, address and request ID."""
    async with aclosing(await product.signed_in()) as user:
        headers = {"X-Request-ID": "request-1", "User-Agent": "Lynx/2.9"}
        upload = {"files": {"file": ("notes.txt", b"hello")}, "data": {"path": "/"}}
        file = (await user.json_of("POST", "/api/v1/files/upload", 201, headers=headers, **upload))["file"]
        shown = await entry(admin, f"action=file.uploaded&actor={await id_of(user)}")
    assert f"file:{file['id']}" == shown["resource"]
    assert ("request-1", "Lynx/2.9", "127.0.0.1") == (shown["requestId"], shown["userAgent"], shown["address"])
    assert "notes.txt" == shown["details"]["name"]


async def test_successful_and_failed_sign_ins_are_logged(product: Running, admin: Client) -> None:
    """The entry of a failed sign-in has the name, but not the password."""
    async with aclosing(await product.signed_in("anna-smith")) as anna:
        anna_id = await id_of(anna)
        assert anna_id == (await entry(admin, f"action=session.opened&actor={anna_id}"))["details"]["userId"]
        wrong = {"username": "anna-smith", "password": "open sesame, please"}
        await anna.problem_of("POST", "/api/v1/auth/login", 401, json=wrong)
    refused = await entry(admin, "action=session.refused")
    assert ("anna-smith", f"user:{anna_id}") == (refused["details"]["username"], refused["resource"])
    assert "sesame" not in str(refused)


async def test_refused_access_is_logged(product: Running, admin: Client) -> None:
    """Requests for another user's file and for admin endpoints."""
    async with aclosing(await product.signed_in()) as anna, aclosing(await product.signed_in()) as ben:
        upload = {"files": {"file": ("notes.txt", b"hello")}, "data": {"path": "/"}}
        file = (await anna.json_of("POST", "/api/v1/files/upload", 201, **upload))["file"]
        ben_id = await id_of(ben)
        await ben.problem_of("GET", f"/api/v1/files/{file['id']}", 404)
        shown = await entry(admin, f"action=access.refused&actor={ben_id}")
        assert {"method": "GET", "path": f"/api/v1/files/{file['id']}", "code": "not-found", "userId": ben_id} == shown[
            "details"
        ]
        anna_id = await id_of(anna)
        assert "admin-required" == await anna.problem_of("GET", API, 403)
        assert "admin-required" == (await entry(admin, f"action=access.refused&actor={anna_id}"))["details"]["code"]


async def test_the_trail_requires_an_admin(product: Running) -> None:
    """The response is 401 without a session."""
    async with product.client() as anonymous:
        assert "not-authenticated" == await anonymous.problem_of("GET", API, 401)


async def test_the_trail_is_filtered_by_time(admin: Client) -> None:
    """By its start, its end, or both."""
    latest = await entry(admin, "action=session.opened")
    moment = latest["occurredAt"]
    assert [] == (await admin.json_of("GET", API, params={"to": "2020-01-01T00:00:00Z"}))["items"]
    assert [] == (await admin.json_of("GET", API, params={"from": "2100-01-01T00:00:00+07:00"}))["items"]
    assert latest["id"] in [e["id"] for e in (await admin.json_of("GET", API, params={"from": moment}))["items"]]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("from=yesterday", "validation-failed"),
        ("from=2026-01-01T00:00:00", "validation-failed"),
        ("actor=%00", "validation-failed"),
        ("resource=" + "x" * 101, "validation-failed"),
        ("limit=0", "validation-failed"),
        ("cursor=rubbish", "invalid-cursor"),
    ],
)
async def test_invalid_queries_are_rejected(admin: Client, query: str, code: str) -> None:
    """Each has its code."""
    assert code == await admin.problem_of("GET", f"{API}?{query}", 422)
