"""The admin's screens for dead letters and usage statistics."""

import json
import sqlite3
from contextlib import closing

import pytest_asyncio
from playwright.async_api import BrowserContext, expect

from metastore.kit.ids import new_id
from tests.e2e.screen import Screen
from tests.fixtures.process import ADMIN_PASSWORD, MetastoreProcess


@pytest_asyncio.fixture(loop_scope="session")
async def admin(product: MetastoreProcess, context: BrowserContext) -> Screen:
    """A tab in which the first admin is signed in."""
    screen = await Screen.open(context, product.address)
    await screen.sign_in("admin", ADMIN_PASSWORD)
    await screen.is_signed_in()
    # Before the sign-in, the request for the user returned 401, which the console reports as an error.
    screen.errors.clear()
    return screen


_INSERT = """
INSERT INTO queued_events
    (id, consumer, event_id, event_type, aggregate, payload, headers, created_at, attempts, dead_at, error)
VALUES
    (:id, :consumer, :event_id, :event_type, :aggregate, :payload, :headers, :created_at, :attempts, :dead_at, :error)
"""


def _create_dead_letter(product: MetastoreProcess) -> str:
    """Add a dead letter of the search index and return the event's id."""
    event_id = new_id()
    payload = {"folderId": new_id(), "ownerId": new_id(), "name": "<b>bold</b>", "parentId": None}
    row = {
        "id": new_id(),
        "consumer": "indexing",
        "event_id": event_id,
        "event_type": "folder.created",
        "aggregate": f"folder:{event_id}",
        "payload": json.dumps(payload),
        "headers": "{}",
        "created_at": "2026-01-01 00:00:00.000000",
        "attempts": 5,
        "dead_at": "2026-01-01 00:01:00.000000",
        "error": "OperationalError: database is locked",
    }
    with closing(_database(product)) as database, database:
        database.execute(_INSERT, row)
    return event_id


def _database(product: MetastoreProcess) -> sqlite3.Connection:
    return sqlite3.connect(product.data_dir / "metastore.db", timeout=30)


async def test_an_admin_inspects_and_redelivers_a_dead_letter(product: MetastoreProcess, admin: Screen) -> None:
    """The user menu leads to the list; a redelivered event disappears from it."""
    event_id = _create_dead_letter(product)
    screen = admin
    await screen.hook("user-menu").click()
    await screen.hook("admin-events").click()
    row = screen.page.locator(f'[data-event="{event_id}"]')
    await expect(row).to_contain_text("database is locked")
    await row.get_by_test_id("dead-event-show").click()
    details = screen.hook("dead-event-details")
    await expect(details).to_contain_text(event_id)
    await expect(details).to_contain_text("<b>bold</b>")
    await screen.hook("details-redeliver").click()
    await expect(row).to_have_count(0)
    await expect(details).to_have_count(0)
    await expect(screen.page.get_by_role("alert").filter(has_text="is being redelivered")).to_be_visible()
    await expect(screen.page.get_by_role("heading", name="No failed events")).to_be_visible()
    assert screen.errors == []


async def test_an_admin_sees_usage_statistics(admin: Screen) -> None:
    """The table has at least today's sign-in."""
    screen = admin
    await screen.hook("user-menu").click()
    await screen.hook("admin-analytics").click()
    await expect(screen.hook("analytics-charts")).to_be_visible()
    await expect(screen.hook("analytics-table").locator("tbody tr")).not_to_have_count(0)
    assert screen.errors == []


async def test_the_admin_screens_are_hidden_from_other_users(
    product: MetastoreProcess, context: BrowserContext
) -> None:
    """They are neither in the menu nor at their URLs."""
    screen = await Screen.open(context, product.address)
    await screen.sign_up()
    await screen.hook("user-menu").click()
    await expect(screen.hook("logout")).to_be_visible()
    await expect(screen.hook("admin-events")).to_have_count(0)
    for path in ("/admin/events", "/admin/analytics"):
        await screen.goto(path)
        await expect(screen.page.get_by_role("heading", name="There is nothing here")).to_be_visible()


async def test_an_outage_of_the_bus_is_shown(admin: Screen) -> None:
    """A button loads the list again, which works after the outage."""
    screen = admin
    unavailable = {"code": "unavailable", "detail": "unavailable", "status": 503}
    await screen.page.route("**/api/v1/admin/events/dead?*", lambda route: route.fulfill(status=503, json=unavailable))
    await screen.goto("/admin/events")
    await expect(screen.page.get_by_role("heading", name="The failed events could not be loaded")).to_be_visible()
    await screen.page.unroute_all()
    await screen.page.get_by_role("button", name="Try again").click()
    await expect(screen.page.get_by_role("heading", name="No failed events")).to_be_visible()
