"""The page checks for every main screen, in several sizes, colour schemes and languages."""

from typing import Literal

import pytest
from playwright.async_api import Browser, BrowserContext, FilePayload, expect

from tests.e2e.page_checks import check_page, open_context
from tests.e2e.screen import Screen
from tests.fixtures.process import ADMIN_PASSWORD, MetastoreProcess

DEAD_EVENTS = {
    "items": [
        {
            "id": f"dead-{consumer}",
            "consumer": consumer,
            "eventId": "an-event",
            "type": "file.uploaded",
            "aggregate": "file:one",
            "attempts": 5,
            "error": "OperationalError: " + "the database is locked " * 20,
            "diedAt": "2026-01-01T00:01:00Z",
            "occurredAt": "2026-01-01T00:00:00Z",
            "payload": {"name": "x" * 200, "lines": list(range(100))},
        }
        for consumer in ("indexing", "notifications")
    ],
    "nextCursor": None,
}


@pytest.mark.parametrize(("width", "scheme", "language"), [(390, "dark", "vi"), (1280, "light", "en")])
async def test_every_screen_passes_the_page_checks(
    product: MetastoreProcess, browser: Browser, width: int, scheme: Literal["dark", "light"], language: str
) -> None:
    """A user's screens are accessible, fit the window and are translated."""
    context = await open_context(browser, width, scheme, language)
    screen = await Screen.open(context, product.address)
    for path in ("/sign-in", "/register"):
        await screen.goto(path)
        await expect(screen.page.locator("form")).to_be_visible()
        await check_page(screen, language, path)
    await screen.sign_up()
    await check_page(screen, language, "the empty drive")
    await _fill(screen, context)
    await check_page(screen, language, "the drive with uploads")
    await screen.goto("/drive")
    await expect(
        screen.file_row("a file with a name that is far too long for any screen" + " again" * 20 + ".txt")
    ).to_be_visible()
    await screen.hook("item-more").first.click()
    await expect(screen.page.locator("[role=menu]")).to_be_visible()
    await check_page(screen, language, "an item's menu")
    await screen.page.keyboard.press("Escape")
    await screen.hook("bell").click()
    await expect(screen.hook("notification-item").first).to_be_visible()
    await check_page(screen, language, "the notifications")
    for path, seen in (("/settings", "session-row"), ("/trash", "file-row"), ("/search?q=anh", "file-row")):
        await screen.goto(path)
        await expect(screen.hook(seen).first).to_be_visible()
        await check_page(screen, language, path)
    assert screen.errors == []
    await context.close()


@pytest.mark.parametrize(("width", "scheme", "language"), [(390, "light", "vi"), (1280, "dark", "en")])
async def test_every_admin_screen_passes_the_page_checks(
    product: MetastoreProcess, browser: Browser, width: int, scheme: Literal["dark", "light"], language: str
) -> None:
    """The list of failed events, the details of one and the statistics pass as well."""
    context = await browser.new_context(
        viewport={"width": width, "height": 844},
        color_scheme=scheme,
        locale={"vi": "vi-VN", "en": "en-GB"}[language],
        reduced_motion="reduce",
    )
    screen = await Screen.open(context, product.address)
    await screen.sign_in("admin", ADMIN_PASSWORD)
    await screen.is_signed_in()
    await screen.page.route("**/api/v1/admin/events/dead?*", lambda route: route.fulfill(json=DEAD_EVENTS))
    await screen.goto("/admin/events")
    await expect(screen.hook("dead-event").first).to_be_visible()
    await check_page(screen, language, "the failed events")
    await screen.hook("dead-event-show").first.click()
    await expect(screen.hook("dead-event-details")).to_be_visible()
    await check_page(screen, language, "a failed event")
    await screen.goto("/admin/analytics")
    await expect(screen.hook("analytics-table")).to_be_visible()
    await check_page(screen, language, "the statistics")
    await context.close()


async def _fill(screen: Screen, context: BrowserContext) -> None:
    """Add at least one entry to every list."""
    names = ["Ảnh.txt", "a file with a name that is far too long for any screen" + " again" * 20 + ".txt", "gone.txt"]
    files: list[FilePayload] = [{"name": name, "mimeType": "text/plain", "buffer": b"x"} for name in names]
    await screen.upload(files)
    for name in names:
        await screen.has_upload(name, "done")
    created = await context.request.post(f"{screen.address}/api/v1/folders", data={"name": "Thư mục"})
    assert created.ok
    listed = await (await context.request.get(f"{screen.address}/api/v1/files")).json()
    gone = next(item["id"] for item in listed["items"] if item["name"] == "gone.txt")
    assert (await context.request.delete(f"{screen.address}/api/v1/files/{gone}")).ok
