"""Dead events over HTTP: an admin lists and redelivers them."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest
from sqlalchemy import update

from metastore.adapters.event_bus.inprocess import consumer_task
from metastore.features.auth.models import User
from metastore.kit.clock import utc_now
from metastore.kit.events.outbox import RecordedEvent
from metastore.kit.ids import new_id
from tests.fixtures.product import Client, Running, running
from tests.fixtures.waiting import eventually

API = "/api/v1/admin/events/dead"


@pytest.fixture
async def product(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Running]:
    """A running server with the embedded default adapters; events are dead after one attempt."""
    monkeypatch.setattr(consumer_task, "MAX_ATTEMPTS", 1)
    async with running(tmp_path / "data") as product:
        yield product


@pytest.fixture
async def admin(product: Running) -> AsyncIterator[Client]:
    """A client signed in as an admin."""
    async with aclosing(await product.signed_in("root-user")) as client:
        async with product.product.database.transaction() as tx:
            await tx.session.execute(update(User).where(User.username == "root-user").values(role="ADMIN"))
        yield client


async def poison(product: Running, admin: Client, count: int = 1) -> list[dict[str, object]]:
    """Publish events that the search index cannot parse, and return them once they are listed as dead."""
    events = [
        RecordedEvent(new_id(), "folder.created", f"folder:{n}", {"nonsense": n}, {"version": "1"}, utc_now())
        for n in range(count)
    ]
    await product.product.bus.publish(events)

    async def dead() -> list[dict[str, object]]:
        items = [item for item in (await admin.json_of("GET", API))["items"] if item["consumer"] == "indexing"]
        return items if len(items) == count else []

    return await eventually(dead)


async def test_a_dead_event_is_listed_with_its_error(product: Running, admin: Client) -> None:
    (shown,) = await poison(product, admin)
    assert ("indexing", "folder.created", "folder:0", 1) == tuple(
        shown[name] for name in ("consumer", "type", "aggregate", "attempts")
    )
    assert shown["payload"] == {"nonsense": 0}
    assert "ValidationError" in str(shown["error"])


async def test_an_admin_redelivers_a_dead_event(product: Running, admin: Client) -> None:
    """If it fails again, it is dead again under another ID; the audit trail records the admin."""
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


async def test_a_redelivery_repeated_with_its_idempotency_key_happens_once(product: Running, admin: Client) -> None:
    (shown,) = await poison(product, admin)
    headers = {"Idempotency-Key": "again-1"}
    url = f"{API}/{shown['id']}/redeliver"
    first = await admin.post(url, headers=headers)
    second = await admin.post(url, headers=headers)
    assert (204, 204, "true") == (first.status_code, second.status_code, second.headers.get("Idempotency-Replayed"))


async def test_dead_events_are_paged_by_cursor(product: Running, admin: Client) -> None:
    dead = await poison(product, admin, 5)

    async def pages_match_the_list() -> bool:
        """Return whether the pages agree with the full list, which may grow between the requests."""
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

    await eventually(pages_match_the_list)


async def test_dead_events_require_an_admin(product: Running) -> None:
    async with aclosing(await product.signed_in()) as user, product.client() as anonymous:
        for method, url in (("GET", API), ("POST", f"{API}/{new_id()}/redeliver")):
            assert "admin-required" == await user.problem_of(method, url, 403)
            assert "not-authenticated" == await anonymous.problem_of(method, url, 401)


@pytest.mark.parametrize("dead_id", ["01a205d7-8e4b-7582-a5ba-1bea0fbafac3", "rubbish", "%00"])
async def test_an_unknown_dead_event_is_not_found(admin: Client, dead_id: str) -> None:
    assert "not-found" == await admin.problem_of("POST", f"{API}/{dead_id}/redeliver", 404)


@pytest.mark.parametrize("query", ["cursor=rubbish", "cursor=WyJ4Il0", "limit=0"])
async def test_invalid_queries_are_rejected(admin: Client, query: str) -> None:
    assert await admin.problem_of("GET", f"{API}?{query}", 422) in ("invalid-cursor", "validation-failed")
