"""Searching in the web app: shortcut, results while typing, and highlighting."""

import re

from playwright.async_api import BrowserContext, FilePayload, expect

from tests.e2e.screen import Screen
from tests.fixtures.process import MetastoreProcess
from tests.fixtures.waiting import eventually


async def _with_files(context: BrowserContext, product: MetastoreProcess) -> Screen:
    """Open the drive of a new user with some files."""
    screen = await Screen.open(context, product.address)
    await screen.sign_up()
    for name in ("Báo cáo quý III.pdf", "báo giá.xlsx", "Ảnh cưới.jpg"):
        file: FilePayload = {"name": name, "mimeType": "application/octet-stream", "buffer": b"x"}
        sent = await context.request.post(
            f"{product.address}/api/v1/files/upload", multipart={"file": file, "path": "/Công việc/2026"}
        )
        assert sent.ok

        async def is_indexed(name: str = name) -> bool:
            response = await context.request.get(f"{product.address}/api/v1/search", params={"q": name})
            return bool((await response.json())["items"])

        await eventually(is_indexed, interval=0.05, why=f"{name} can be found")
    return screen


async def test_a_user_finds_a_file_by_the_keyboard_alone(product: MetastoreProcess, context: BrowserContext) -> None:
    """``/`` focuses the box, typing finds without accents, the arrow focuses the results, Escape empties the box."""
    screen = await _with_files(context, product)
    keyboard = screen.page.keyboard
    await keyboard.press("/")
    await expect(screen.hook("search")).to_be_focused()
    await keyboard.type("bao c")
    await expect(screen.page).to_have_url(re.compile(r"/search\?q=bao"))
    row = screen.file_row("Báo cáo quý III.pdf")
    await expect(row.locator("mark")).to_have_text(["Báo", "c"])
    await expect(row).to_contain_text("My files › Công việc › 2026")
    await expect(screen.file_row("báo giá.xlsx")).to_have_count(0)
    await expect(screen.hook("search-count")).to_have_text("1 result")
    await keyboard.press("ArrowDown")
    await expect(row).to_be_focused()
    await screen.hook("search").focus()
    await keyboard.press("Escape")
    await expect(screen.hook("search")).to_have_value("")
    await expect(screen.page.get_by_role("heading", name="Find what you are looking for")).to_be_visible()
    assert screen.errors == []


async def test_a_search_has_a_url_and_can_be_filtered(product: MetastoreProcess, context: BrowserContext) -> None:
    """The URL opens the results, a type filters them, and a folder among them opens in the drive."""
    screen = await _with_files(context, product)
    await screen.goto("/search?q=o")
    await expect(screen.hook("search")).to_have_value("o")
    await expect(screen.file_row("báo giá.xlsx")).to_be_visible()
    await screen.hook("search-type").select_option("folder")
    await expect(screen.file_row("Công việc")).to_be_visible()
    await expect(screen.file_row("báo giá.xlsx")).to_have_count(0)
    await screen.file_row("Công việc").dblclick()
    await expect(screen.file_row("2026")).to_be_visible()
    assert screen.errors == []


async def test_an_empty_result_and_an_error_are_shown(product: MetastoreProcess, context: BrowserContext) -> None:
    """No results and a failed request have a message each; the request can be repeated."""
    screen = await Screen.open(context, product.address)
    await screen.sign_up()
    await screen.goto("/search?q=zebra")
    await expect(screen.page.get_by_role("heading", name="Nothing found for “zebra”")).to_be_visible()
    await screen.page.route(
        "**/api/v1/search?*", lambda route: route.fulfill(status=500, json={"code": "internal-error"})
    )
    await screen.goto("/search?q=lion")
    await expect(screen.page.get_by_role("heading", name="The search did not work")).to_be_visible()
    await screen.page.unroute_all()
    await screen.page.get_by_role("button", name="Try again").click()
    await expect(screen.page.get_by_role("heading", name="Nothing found for “lion”")).to_be_visible()


async def test_a_result_can_be_shown_in_its_folder(product: MetastoreProcess, context: BrowserContext) -> None:
    """The menu of a result opens the folder that contains it."""
    screen = await _with_files(context, product)
    await screen.goto("/search?q=cuoi")
    await screen.file_row("Ảnh cưới.jpg").get_by_test_id("item-more").click()
    await screen.page.get_by_role("menuitem", name="Show in its folder").click()
    await expect(screen.file_row("báo giá.xlsx")).to_be_visible()
    await expect(screen.page).to_have_url(re.compile("/drive/"))


async def test_an_open_search_shows_newly_uploaded_files(product: MetastoreProcess, context: BrowserContext) -> None:
    """A new file appears by itself once it is indexed."""
    screen = await Screen.open(context, product.address)
    await screen.sign_up()
    await screen.goto("/search?q=fresh")
    await expect(screen.page.get_by_role("heading", name="Nothing found for “fresh”")).to_be_visible()
    await screen.upload({"name": "fresh.txt", "mimeType": "text/plain", "buffer": b"x"})
    await expect(screen.file_row("fresh.txt")).to_be_visible()
    assert screen.errors == []
