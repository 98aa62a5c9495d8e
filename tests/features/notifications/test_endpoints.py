"""Notifications over HTTP."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from metastore.kit.ids import new_id
from tests.fixtures.product import Client, Running, running
from tests.fixtures.waiting import eventually

API = "/api/v1/notifications"


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


async def upload(client: Client, name: str = "notes.txt") -> Any:  # noqa: ANN401  JSON
    """Upload a small file."""
    return await client.json_of(
        "POST", "/api/v1/files/upload", 201, files={"file": (name, b"hello")}, data={"path": "/"}
    )


async def notifications_of(client: Client, count: int) -> Any:  # noqa: ANN401  JSON
    """Return the user's notifications, once there are that many."""

    async def enough() -> Any:  # noqa: ANN401  JSON
        page = await client.json_of("GET", API)
        return page if len(page["items"]) >= count else None

    return await eventually(enough)


async def test_an_upload_leads_to_one_notification(user: Client) -> None:
    """A file that needs no processing causes one notification."""
    file = (await upload(user))["file"]
    page = await notifications_of(user, 1)
    (shown,) = page["items"]
    assert {"id", "userId", "type", "message", "payload", "readAt", "createdAt"} == shown.keys()
    assert ("file.ready", file["id"], None) == (shown["type"], shown["payload"]["fileId"], shown["readAt"])
    assert (1, None) == (page["unreadCount"], page["nextCursor"])


async def test_notifications_are_marked_as_read_one_by_one_and_all_at_once(user: Client) -> None:
    """The unread filter and the count change accordingly."""
    for number in range(3):
        await upload(user, f"{number}.txt")
    first = (await notifications_of(user, 3))["items"][0]
    read = await user.json_of("POST", f"{API}/{first['id']}/read")
    assert read["id"] == first["id"]
    assert read["readAt"] is not None
    unread = await user.json_of("GET", f"{API}?unread=true")
    assert (2, 2) == (unread["unreadCount"], len(unread["items"]))
    assert {"updated": 2} == await user.json_of("POST", f"{API}/read-all")
    assert 0 == (await user.json_of("GET", API))["unreadCount"]


async def test_the_list_is_paged_by_cursor(user: Client) -> None:
    """The next page starts where the previous one ended."""
    for number in range(3):
        await upload(user, f"{number}.txt")
    notifications = (await notifications_of(user, 3))["items"]
    first = await user.json_of("GET", f"{API}?limit=2")
    second = await user.json_of("GET", f"{API}?limit=2&cursor={first['nextCursor']}")
    assert notifications == first["items"] + second["items"]
    assert second["nextCursor"] is None


async def test_notifications_are_private(product: Running, user: Client) -> None:
    """The response is 401 without a session and 404 for another user's notification."""
    await upload(user)
    target = (await notifications_of(user, 1))["items"][0]["id"]
    async with product.client() as anonymous:
        assert "not-authenticated" == await anonymous.problem_of("GET", API, 401)
        assert "not-authenticated" == await anonymous.problem_of("POST", f"{API}/{target}/read", 401)
        assert "not-authenticated" == await anonymous.problem_of("POST", f"{API}/read-all", 401)
    async with aclosing(await product.signed_in()) as other:
        assert "not-found" == await other.problem_of("POST", f"{API}/{target}/read", 404)
        assert "not-found" == await other.problem_of("POST", f"{API}/{new_id()}/read", 404)
        assert {"updated": 0} == await other.json_of("POST", f"{API}/read-all")
        assert [] == (await other.json_of("GET", API))["items"]
    assert 1 == (await user.json_of("GET", API))["unreadCount"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("limit=0", "validation-failed"),
        ("limit=201", "validation-failed"),
        ("unread=perhaps", "validation-failed"),
        ("cursor=rubbish", "invalid-cursor"),
        ("cursor=", "invalid-cursor"),
    ],
)
async def test_invalid_queries_are_rejected(user: Client, query: str, code: str) -> None:
    """Each has its code."""
    assert code == await user.problem_of("GET", f"{API}?{query}", 422)
