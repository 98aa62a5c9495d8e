"""Dead events over HTTP: an admin sees what a consumer failed on, and has it tried again."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest
from sqlalchemy import update

from metastore.adapters.event_bus import inprocess
from metastore.features.auth.models import User
from metastore.kit.clock import utc_now
from metastore.kit.ids import new_id
from metastore.kit.outbox import RecordedEvent
from tests.fixtures.product import Client, Running, running
from tests.fixtures.waiting import eventually

API = "/api/v1/admin/events/dead"


@pytest.fixture
async def product(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Running]:
    """The product on its embedded default, which gives up after one try."""
    monkeypatch.setattr(inprocess, "MAX_ATTEMPTS", 1)
    async with running(tmp_path / "data") as product:
        yield product


@pytest.fixture
async def admin(product: Running) -> AsyncIterator[Client]:
    """A client that an admin is signed in on."""
    async with aclosing(await product.signed_in("root-user")) as client:
        async with product.product.database.transaction() as tx:
            await tx.session.execute(update(User).where(User.username == "root-user").values(role="ADMIN"))
        yield client


async def poison(product: Running, admin: Client, count: int = 1) -> list[dict[str, object]]:
    """Send events that the index cannot read; returns them as the admin sees them, once they are dead."""
    events = [
        RecordedEvent(new_id(), "folder.created", f"folder:{n}", {"nonsense": n}, {"version": "1"}, utc_now())
        for n in range(count)
    ]
    await product.product.bus.publish(events)

    async def dead() -> list[dict[str, object]]:
        items = [item for item in (await admin.json_of("GET", API))["items"] if item["consumer"] == "indexing"]
        return items if len(items) == count else []

    return await eventually(dead)


async def test_an_event_that_fails_too_often_is_shown_with_its_reason(product: Running, admin: Client) -> None:
    (shown,) = await poison(product, admin)
    assert ("indexing", "folder.created", "folder:0", 1) == tuple(
        shown[name] for name in ("consumer", "type", "aggregate", "attempts")
    )
    assert shown["payload"] == {"nonsense": 0}
    assert "ValidationError" in str(shown["error"])


async def test_a_dead_event_is_tried_again_when_an_admin_wants_it(product: Running, admin: Client) -> None:
    """What fails again is dead again, under whatever id; the trail knows who asked."""
    (shown,) = await poison(product, admin)
    assert await admin.json_of("POST", f"{API}/{shown['id']}/redeliver", 204) is None

    async def dead_again() -> bool:
        items = (await admin.json_of("GET", API))["items"]
        return any(item["eventId"] == shown["eventId"] and item["diedAt"] != shown["diedAt"] for item in items)

    assert await eventually(dead_again)

    async def trail() -> list[dict[str, object]]:
        found = await admin.json_of("GET", "/api/v1/admin/audit-logs", params={"action": "event.redelivered"})
        return list(found["items"])

    (entry,) = await eventually(trail)
    me = (await admin.json_of("GET", "/api/v1/auth/me"))["user"]["id"]
    assert (me, f"dead-event:{shown['id']}") == (entry["actorId"], entry["resource"])


async def test_a_redelivery_under_one_key_happens_once(product: Running, admin: Client) -> None:
    (shown,) = await poison(product, admin)
    headers = {"Idempotency-Key": "again-1"}
    url = f"{API}/{shown['id']}/redeliver"
    first = await admin.post(url, headers=headers)
    second = await admin.post(url, headers=headers)
    assert (204, 204, "true") == (first.status_code, second.status_code, second.headers.get("Idempotency-Replayed"))


async def test_pages_of_dead_events_follow_each_other(product: Running, admin: Client) -> None:
    dead = await poison(product, admin, 5)

    async def agree() -> bool:
        """Some may still be dying between the looks."""
        every = (await admin.json_of("GET", API, params={"limit": 200}))["items"]
        shown: list[object] = []
        cursor: dict[str, str] = {}
        while True:
            page = await admin.json_of("GET", API, params={"limit": 2, **cursor})
            assert len(page["items"]) <= 2
            shown += [item["id"] for item in page["items"]]
            if page["nextCursor"] is None:
                break
            cursor = {"cursor": page["nextCursor"]}
        return [item["id"] for item in every] == shown and {item["id"] for item in dead} <= set(shown)

    await eventually(agree)


async def test_only_admins_see_and_bring_back_dead_events(product: Running) -> None:
    async with aclosing(await product.signed_in()) as user, product.client() as stranger:
        for method, url in (("GET", API), ("POST", f"{API}/{new_id()}/redeliver")):
            assert "admin-required" == await user.problem_of(method, url, 403)
            assert "not-authenticated" == await stranger.problem_of(method, url, 401)


@pytest.mark.parametrize("dead_id", ["01a205d7-8e4b-7582-a5ba-1bea0fbafac3", "rubbish", "%00"])
async def test_what_is_not_dead_is_not_found(admin: Client, dead_id: str) -> None:
    assert "not-found" == await admin.problem_of("POST", f"{API}/{dead_id}/redeliver", 404)


@pytest.mark.parametrize("query", ["cursor=rubbish", "cursor=WyJ4Il0", "limit=0"])
async def test_bad_queries_are_refused(admin: Client, query: str) -> None:
    assert await admin.problem_of("GET", f"{API}?{query}", 422) in ("invalid-cursor", "validation-failed")
