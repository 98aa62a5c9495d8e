"""View pictures, documents and texts in the browser by mouse, touch and keyboard."""

import re
from io import BytesIO
from typing import Literal

import pytest
from PIL import Image
from playwright.async_api import Browser, BrowserContext, FilePayload, Locator, Page, expect

from tests.e2e.page_checks import check_page, open_context
from tests.e2e.screen import Screen
from tests.fixtures.process import MetastoreProcess

MARKDOWN = b"""# Nh\xe1\xba\xadt k\xc3\xbd

Some **words**, a [way out](https://example.org/), <b id="raw">HTML</b> and ![a picture](https://example.org/cat.png).

| One | Two |
|-----|-----|
| 1   | 2   |

- [x] done
"""
CODE = b"def greet(name: str) -> str:\n    return f'Hello, {name}'  # politely\n"
LONG = b"One line among many.\n" * 20_000


async def test_every_kind_of_file_is_shown(product: MetastoreProcess, context: BrowserContext) -> None:
    """They follow each other in the order of the list, without requests to other sites or console errors."""
    screen = await _drive(product, context)
    page = screen.page
    elsewhere: list[str] = []
    page.on("request", lambda request: elsewhere.append(request.url) if "example.org" in request.url else None)
    await screen.file_row("1.jpg").dblclick()
    await _shows(screen, "1.jpg", "image")
    await expect(screen.hook("picture-stage")).to_have_attribute("data-full", "true")
    picture = page.get_by_alt_text("Picture “1.jpg”")
    assert [1600, 800] == await picture.evaluate("image => [image.naturalWidth, image.naturalHeight]")
    assert "?view=" in page.url

    await screen.hook("viewer-next").click()
    await _shows(screen, "2.png", "image")
    await page.keyboard.press("ArrowRight")
    await _shows(screen, "3.pdf", "pdf")
    await expect(screen.hook("pdf-pages")).to_have_attribute("data-pages", "12")
    await expect(_page(screen, 1)).to_have_attribute("data-state", "drawn")
    await expect(_page(screen, 1)).to_contain_text("Trang 1")
    await page.keyboard.press("ArrowRight")

    await _shows(screen, "4.md", "markdown")
    text = screen.hook("viewer-markdown")
    await expect(text.get_by_role("heading", name="Nhật ký")).to_be_visible()
    await expect(text.locator("img, #raw")).to_have_count(0)
    await expect(text.get_by_role("link", name="way out")).to_have_attribute("rel", re.compile("noopener"))
    await screen.hook("viewer-next").click()

    await _shows(screen, "5.py", "code")
    await expect(page.locator(".hljs-keyword").first).to_have_text("def")
    await screen.hook("viewer-next").click()

    await _shows(screen, "6.txt", "text")
    await expect(screen.hook("viewer-cut")).to_contain_text("Only the beginning is shown")
    await expect(screen.hook("viewer-next")).to_have_attribute("aria-disabled", "true")
    await page.go_back()
    await expect(screen.hook("viewer")).to_have_count(0)
    await expect(screen.file_row("6.txt")).to_be_focused()
    assert ([], []) == (elsewhere, screen.errors)


async def test_a_file_without_a_preview_can_be_downloaded(product: MetastoreProcess, context: BrowserContext) -> None:
    """Both the toolbar and the notice offer the download; the viewer has its own URL."""
    screen = await _drive(product, context, "7.bin")
    await screen.file_row("7.bin").dblclick()
    await expect(screen.hook("viewer-notice")).to_contain_text("There is no preview of this file")
    await screen.page.reload()
    for button in ("viewer-notice-download", "viewer-download"):
        async with screen.page.expect_download() as started:
            await screen.hook(button).click()
        assert b"\x00\x01\x02" == (await (await started.value).path()).read_bytes()
    await screen.hook("viewer-close").click()
    await expect(screen.hook("viewer")).to_have_count(0)
    await expect(screen.page).to_have_url(re.compile("/drive$"))


async def test_a_picture_can_be_zoomed_moved_and_rotated(product: MetastoreProcess, context: BrowserContext) -> None:
    """With the wheel, a double click, buttons and keys."""
    screen = await _drive(product, context, "1.jpg")
    page, stage = screen.page, screen.hook("picture-stage")
    await screen.file_row("1.jpg").dblclick()
    await expect(stage).to_have_attribute("data-full", "true")
    await page.mouse.move(640, 400)
    await page.mouse.wheel(0, -400)
    await expect(stage).to_have_attribute("data-scale", re.compile(r"^2\.2"))
    before = await stage.locator("> div").get_attribute("style")
    await page.keyboard.press("ArrowRight")
    await expect(stage.locator("> div")).not_to_have_attribute("style", before or "")
    await page.keyboard.press("0")
    await expect(stage).to_have_attribute("data-scale", "1")
    await page.mouse.dblclick(640, 400)
    await expect(stage).to_have_attribute("data-scale", "2.5")
    await screen.hook("zoom-fit").click()
    await expect(stage).to_have_attribute("data-scale", "1")
    await screen.hook("rotate").click()
    await page.keyboard.press("r")
    await expect(stage).to_have_attribute("data-turn", "180")


async def test_the_viewer_can_be_used_by_keyboard_alone(product: MetastoreProcess, context: BrowserContext) -> None:
    """Open it, go to the next file and to a page, show the details, close it; the focus stays in the open viewer."""
    screen = await _drive(product, context, "2.png", "3.pdf")
    page, keyboard = screen.page, screen.page.keyboard
    await screen.file_row("2.png").focus()
    await keyboard.press("Enter")
    await _shows(screen, "2.png", "image")
    await keyboard.press("ArrowRight")
    await _shows(screen, "3.pdf", "pdf")
    await expect(_page(screen, 1)).to_have_attribute("data-state", "drawn")
    await _tab_to(page, "pdf-page-number")
    await keyboard.press("Control+A")
    await keyboard.type("9")
    await keyboard.press("Enter")
    await expect(_page(screen, 9)).to_have_attribute("data-state", "drawn")
    await expect(_page(screen, 9)).to_be_in_viewport()
    await _tab_to(page, "viewer-details")
    await keyboard.press("Enter")
    await expect(screen.hook("viewer-details-panel")).to_contain_text("application/pdf")
    for _ in range(25):
        await keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.closest('[data-testid=viewer]') !== null")
    await keyboard.press("Escape")
    await expect(screen.hook("viewer")).to_have_count(0)
    await expect(screen.file_row("3.pdf")).to_be_focused()


@pytest.mark.parametrize(("width", "scheme", "language"), [(390, "dark", "vi"), (1280, "light", "en")])
async def test_the_viewer_passes_the_page_checks(
    product: MetastoreProcess, browser: Browser, width: int, scheme: Literal["dark", "light"], language: str
) -> None:
    """It is accessible, fits the window and is translated; on phones files open with a tap."""
    context = await open_context(browser, width, scheme, language)
    screen = await _drive(product, context, "1.jpg", "3.pdf", "4.md", "5.py", "7.bin")
    ready = {"1.jpg": "picture-stage", "3.pdf": "pdf-page", "4.md": "viewer-markdown", "5.py": "viewer-text"}
    for name in ("1.jpg", "3.pdf", "4.md", "5.py", "7.bin"):
        row = screen.file_row(name)
        await (row.tap() if width < 400 else row.dblclick())
        await expect(screen.hook(ready.get(name, "viewer-notice")).first).to_be_visible()
        await check_page(screen, language, name)
        if name == "1.jpg":
            await screen.hook("viewer-details").click()
            await expect(screen.hook("viewer-details-panel")).to_be_visible()
            await check_page(screen, language, "the details")
        await screen.hook("viewer-close").click()
        await expect(screen.hook("viewer")).to_have_count(0)
    assert [] == screen.errors
    await context.close()


async def _drive(product: MetastoreProcess, context: BrowserContext, *names: str) -> Screen:
    """Open a drive with the named files, or with one of every kind, all of them ready."""
    screen = await Screen.open(context, product.address)
    await screen.sign_up()
    contents = {
        "1.jpg": _picture("JPEG", (1600, 800)),
        "2.png": _picture("PNG", (300, 500)),
        "3.pdf": await _document(context),
        "4.md": MARKDOWN,
        "5.py": CODE,
        "6.txt": LONG,
        "7.bin": b"\x00\x01\x02",
    }
    files: list[FilePayload] = [
        {"name": name, "mimeType": "application/octet-stream", "buffer": contents[name]} for name in names or contents
    ]
    await screen.upload(files)
    for name in names or contents:
        await expect(screen.file_row(name)).to_have_attribute("data-status", "READY")
    await screen.hook("upload-collapse").click()
    return screen


async def _shows(screen: Screen, name: str, kind: str) -> None:
    await expect(screen.hook("viewer-name")).to_have_text(name)
    await expect(screen.hook("viewer")).to_have_attribute("data-kind", kind)


def _page(screen: Screen, number: int) -> Locator:
    return screen.page.locator(f'[data-testid="pdf-page"][data-page="{number}"]')


def _picture(kind: str, size: tuple[int, int]) -> bytes:
    buffer = BytesIO()
    Image.linear_gradient("L").resize(size).convert("RGB").save(buffer, kind)
    return buffer.getvalue()


async def _document(context: BrowserContext) -> bytes:
    page: Page = await context.new_page()
    pages = "".join(f"<h1 style='break-before: page'>Trang {number}</h1>" for number in range(1, 13))
    await page.set_content(pages)
    content = await page.pdf(format="A4")
    await page.close()
    return content


async def _tab_to(page: Page, wanted: str, at_most: int = 30) -> None:
    """Press Tab until the element with the test id ``wanted`` has the focus."""
    for _ in range(at_most):
        await page.keyboard.press("Tab")
        if await page.evaluate("document.activeElement.dataset.testid") == wanted:
            return
    raise AssertionError(f"{wanted} is not focused after {at_most} presses of Tab")
