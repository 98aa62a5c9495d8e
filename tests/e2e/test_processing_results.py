"""What the owner sees of the processing of a picture and of a broken film."""

import asyncio
from pathlib import Path

from PIL import Image
from playwright.async_api import BrowserContext, Locator, expect

from tests.e2e.screen import Screen
from tests.fixtures.media import make_video
from tests.fixtures.process import MetastoreProcess

# Records the states of each row in order. Polling might miss a short one.
WATCH = """
window.seen = {};
new MutationObserver(() => {
    for (const row of document.querySelectorAll('[data-testid=file-row]')) {
        const { name, status } = row.dataset;
        const badge = row.querySelector('[data-testid=status-badge]') ? 'badge' : 'bare';
        const seen = (window.seen[name] ??= []);
        if (seen.at(-1) !== `${status} ${badge}`) seen.push(`${status} ${badge}`);
    }
}).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ['data-status'] });
"""
IS_SHOWN = "image => image.complete && image.naturalWidth > 0"


async def test_a_picture_shows_its_thumbnail_in_the_grid_once_ready(
    product: MetastoreProcess, context: BrowserContext, tmp_path: Path
) -> None:
    """A badge is shown while it is processed; then its thumbnail loads and a notification arrives."""
    screen = await _drive_in_grid(context, product)
    await screen.upload(await asyncio.to_thread(_picture, tmp_path / "sunset.jpg"))
    tile = screen.file_row("sunset.jpg")
    await expect(tile).to_have_attribute("data-status", "READY")
    shown = tile.locator("img")
    await _has_loaded(shown)
    # Scaled in proportion to fit the thumbnail's square.
    assert [256, 128] == await shown.evaluate("image => [image.naturalWidth, image.naturalHeight]")
    await expect(tile.get_by_test_id("status-badge")).to_have_count(0)
    seen = await screen.page.evaluate("window.seen['sunset.jpg']")
    assert "PROCESSING badge" in seen, seen
    assert "READY bare" == seen[-1]
    await expect(screen.hook("bell-count")).to_have_text("1")
    await screen.hook("bell").click()
    await expect(screen.hook("notification-item")).to_contain_text("“sunset.jpg” is ready")
    # The browser reports pictures from origins that the content security policy forbids.
    assert [] == screen.errors


async def test_a_broken_film_shows_the_reason_and_can_still_be_downloaded(
    product: MetastoreProcess, context: BrowserContext, tmp_path: Path
) -> None:
    """The failure is permanent, so no retry is offered; the original bytes can be downloaded."""
    film = tmp_path / "holiday.mp4"
    content = (await asyncio.to_thread(make_video, film, 1, 1)).read_bytes()[:600]
    film.write_bytes(content)
    screen = await _drive_in_grid(context, product)
    await screen.upload(film)
    tile = screen.file_row(film.name)
    await expect(tile).to_have_attribute("data-status", "FAILED")
    await expect(screen.hook("bell-count")).to_have_text("1")
    await screen.hook("bell").click()
    notice = screen.hook("notification-item")
    await expect(notice).to_contain_text("“holiday.mp4” did not become ready. The video is damaged")
    await screen.page.keyboard.press("Escape")
    await tile.get_by_test_id("status-badge").click()
    await expect(screen.hook("failure-reason")).to_have_text("The video is damaged, or its format is not supported.")
    await expect(screen.hook("retry")).to_have_count(0)
    await screen.page.keyboard.press("Escape")
    await tile.get_by_test_id("item-more").click()
    await expect(screen.hook("action-retry")).to_have_count(0)
    async with screen.page.expect_download() as started:
        await screen.hook("action-download").click()
    download = await started.value
    assert content == (await download.path()).read_bytes()
    assert [] == screen.errors


async def test_a_notification_read_in_one_tab_is_read_in_all_tabs(
    product: MetastoreProcess, context: BrowserContext
) -> None:
    """The count at the bell goes down in the other tab as well."""
    first = await Screen.open(context, product.address)
    await first.sign_up()
    second = await Screen.open(context, product.address)
    await second.is_signed_in()
    await first.upload({"name": "news.txt", "mimeType": "text/plain", "buffer": b"news"})
    for screen in (first, second):
        await expect(screen.hook("bell-count")).to_have_text("1")
    await second.hook("bell").click()
    await second.hook("notification-item").click()
    for screen in (second, first):
        await expect(screen.hook("bell-count")).to_have_count(0)


async def _drive_in_grid(context: BrowserContext, product: MetastoreProcess) -> Screen:
    """Open the drive of a new user in the grid view."""
    await context.add_init_script(WATCH)
    screen = await Screen.open(context, product.address)
    await screen.sign_up()
    await screen.hook("view-grid").click()
    return screen


async def _has_loaded(image: Locator) -> None:
    await expect(image).to_be_visible()
    await image.evaluate("image => image.decode()")
    assert await image.evaluate(IS_SHOWN)


def _picture(path: Path) -> Path:
    """Save a picture twice as wide as high, with visible content."""
    Image.radial_gradient("L").resize((4000, 2000)).save(path)
    return path
