"""A file's processing in the web app: its current step, the reason for a failure, and the retry."""

from typing import Any

import pytest
from playwright.async_api import BrowserContext, Route, expect

from tests.e2e.screen import Screen
from tests.fixtures.process import MetastoreProcess

WORKING = {
    "step": "thumbnail",
    "state": "RUNNING",
    "progress": 42,
    "error": None,
    "reasonCode": None,
    "retryable": False,
}
BROKEN = {
    "step": "probe",
    "state": "FAILED",
    "progress": 0,
    "error": "The server's own sentence, which is not shown.",
    "reasonCode": "film-unreadable",
    "retryable": True,
}
REASON = "The video is damaged, or its format is not supported."

# The content is no higher than its row, and the row no higher than its place in the list.
STAYS_WITHIN = "row => [row, row.parentElement].every((box) => box.scrollHeight <= box.clientHeight)"


async def _with_file(
    context: BrowserContext, product: MetastoreProcess, shown: dict[str, Any], name: str = "film.mp4"
) -> Screen:
    """Open the drive of a new user with one file, for which the server reports the fields of ``shown``."""
    screen = await Screen.open(context, product.address)
    await screen.sign_up()

    async def as_shown(route: Route) -> None:
        response = await route.fetch()
        body = await response.json()
        await route.fulfill(response=response, json={**body, "items": [{**item, **shown} for item in body["items"]]})

    await screen.page.route("**/api/v1/files?*", as_shown)
    await screen.upload({"name": name, "mimeType": "video/mp4", "buffer": b"x"})
    await screen.has_upload(name, "done")
    await screen.goto("/drive")
    return screen


@pytest.mark.parametrize("view", ["list", "grid"])
async def test_a_file_shows_its_current_processing_step(
    product: MetastoreProcess, context: BrowserContext, view: str
) -> None:
    """Both views show it as text and as a progress bar, and nothing overlaps the next row or tile."""
    name = "a film with a name that is long enough for several lines in its tile.mp4"
    screen = await _with_file(context, product, {"status": "PROCESSING", "processing": WORKING}, name)
    if view == "grid":
        await screen.hook("view-grid").click()
    badge = screen.file_row(name).get_by_test_id("status-badge")
    await expect(badge).to_contain_text("Making a preview")
    await expect(badge).to_contain_text("42")
    await expect(badge.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "42")
    assert await screen.file_row(name).evaluate(STAYS_WITHIN)
    assert screen.errors == []


async def test_a_failed_file_shows_the_reason_and_can_be_retried(
    product: MetastoreProcess, context: BrowserContext
) -> None:
    """By keyboard, the badge opens the reason and its button sends the retry."""
    shown: dict[str, Any] = {"status": "FAILED", "processing": BROKEN}
    screen = await _with_file(context, product, shown)
    keys: list[str | None] = []

    async def retry(route: Route) -> None:
        keys.append(await route.request.header_value("idempotency-key"))
        shown.update(status="PROCESSING", processing=WORKING)
        await route.fulfill(status=200, json={})

    await screen.page.route("**/api/v1/files/*/retry", retry)
    badge = screen.file_row("film.mp4").get_by_test_id("status-badge")
    await badge.focus()
    await screen.page.keyboard.press("Enter")
    await expect(screen.hook("failure-reason")).to_have_text(REASON)
    await expect(screen.hook("retry")).to_be_focused()
    await screen.page.keyboard.press("Enter")
    await expect(badge).to_contain_text("Making a preview")
    await expect(screen.hook("failure")).to_have_count(0)
    assert len(keys) == 1
    assert keys[0]
    assert screen.errors == []


async def test_a_failure_that_cannot_be_retried_has_no_retry_button(
    product: MetastoreProcess, context: BrowserContext
) -> None:
    """Only the reason is shown."""
    screen = await _with_file(context, product, {"status": "FAILED", "processing": {**BROKEN, "retryable": False}})
    await screen.file_row("film.mp4").get_by_test_id("status-badge").click()
    await expect(screen.hook("failure-reason")).to_be_visible()
    await expect(screen.hook("retry")).to_have_count(0)
