"""Notifications over HTTP, from the upload that causes them to the mark that they were read."""

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
    """The product on its embedded default."""
    async with running(tmp_path / "data") as product:
        yield product


@pytest.fixture
async def user(product: Running) -> AsyncIterator[Client]:
    """A client that a new user is signed in on."""
    async with aclosing(await product.signed_in()) as client:
        yield client


async def upload(client: Client, name: str = "notes.txt") -> Any:  # noqa: ANN401  JSON
    """Upload a small file."""
    return await client.json_of(
        "POST", "/api/v1/files/upload", 201, files={"file": (name, b"hello")}, data={"path": "/"}
    )


async def told(client: Client, count: int) -> Any:  # noqa: ANN401  JSON
    """The user's notifications, once there are that many."""

    async def enough() -> Any:  # noqa: ANN401  JSON
        page = await client.json_of("GET", API)
        return page if len(page["items"]) >= count else None

    return await eventually(enough)


async def test_an_upload_leads_to_one_notification(user: Client) -> None:
    """A file that needs no processing is announced once, as ready."""
    file = (await upload(user))["file"]
    page = await told(user, 1)
    (shown,) = page["items"]
    assert {"id", "userId", "type", "message", "payload", "readAt", "createdAt"} == shown.keys()
    assert ("file.ready", file["id"], None) == (shown["type"], shown["payload"]["fileId"], shown["readAt"])
    assert (1, None) == (page["unreadCount"], page["nextCursor"])


async def test_notifications_are_read_one_by_one_and_all_at_once(user: Client) -> None:
    """The unread filter and count follow what was read."""
    for number in range(3):
        await upload(user, f"{number}.txt")
    first = (await told(user, 3))["items"][0]
    read = await user.json_of("POST", f"{API}/{first['id']}/read")
    assert read["id"] == first["id"]
    assert read["readAt"] is not None
    unread = await user.json_of("GET", f"{API}?unread=true")
    assert (2, 2) == (unread["unreadCount"], len(unread["items"]))
    assert {"updated": 2} == await user.json_of("POST", f"{API}/read-all")
    assert 0 == (await user.json_of("GET", API))["unreadCount"]


async def test_lists_go_on_by_cursor(user: Client) -> None:
    """The next page begins where the last one ended."""
    for number in range(3):
        await upload(user, f"{number}.txt")
    everything = (await told(user, 3))["items"]
    first = await user.json_of("GET", f"{API}?limit=2")
    second = await user.json_of("GET", f"{API}?limit=2&cursor={first['nextCursor']}")
    assert everything == first["items"] + second["items"]
    assert second["nextCursor"] is None


async def test_strangers_and_other_users_see_and_change_nothing(product: Running, user: Client) -> None:
    """Without a session 401; with somebody else's, 404 as if it was not there."""
    await upload(user)
    target = (await told(user, 1))["items"][0]["id"]
    async with product.client() as stranger:
        assert "not-authenticated" == await stranger.problem_of("GET", API, 401)
        assert "not-authenticated" == await stranger.problem_of("POST", f"{API}/{target}/read", 401)
        assert "not-authenticated" == await stranger.problem_of("POST", f"{API}/read-all", 401)
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
async def test_bad_queries_are_refused(user: Client, query: str, code: str) -> None:
    """Each with its code."""
    assert code == await user.problem_of("GET", f"{API}?{query}", 422)
