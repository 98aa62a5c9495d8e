"""Share files and folders by links, and open the links in other browsers without an account."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from time import monotonic
from typing import Literal
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, FilePayload, Locator, expect

from tests.e2e.page_checks import check_page, open_context
from tests.e2e.screen import Screen, drop
from tests.fixtures.media import make_clip
from tests.fixtures.process import MetastoreProcess

SECONDS = 40
FILM = (
    f"-f lavfi -i testsrc2=size=640x360:rate=20:duration={SECONDS} -f lavfi -i sine=frequency=440:duration={SECONDS} "
    "-c:v libx264 -preset ultrafast -g 40 -pix_fmt yuv420p -c:a aac -movflags +faststart"
).split()
SECRET = "một bí mật"
STOPS_WITHIN_S = 5


@pytest_asyncio.fixture(loop_scope="session")
async def visitor(browser: Browser) -> AsyncIterator[BrowserContext]:
    """A fresh browser profile of somebody without an account."""
    context = await browser.new_context(locale="en-GB", viewport={"width": 1280, "height": 800})
    yield context
    await context.close()


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film with sound."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    make_clip(path, *FILM)
    return path


async def test_a_film_with_a_password_plays_and_cannot_be_downloaded(
    product: MetastoreProcess, context: BrowserContext, visitor: BrowserContext, film: Path
) -> None:
    """Under VIEW no request of the page is for the original."""
    owner = await _drive_with(product, context, film)
    file_id = await owner.file_row(film.name).get_attribute("data-id")
    original = await context.request.get(f"{product.address}/api/v1/files/{file_id}/download", max_redirects=0)
    original_path = urlsplit(original.headers["location"]).path
    url = await _share(owner, film.name, password=SECRET)

    screen = Screen(await visitor.new_page(), product.address)
    requested: list[str] = []
    screen.page.on("request", lambda request: requested.append(request.url))
    await screen.page.goto(url)
    await expect(screen.hook("shared-password-form")).to_be_visible()
    assert film.name not in await screen.page.content()
    await screen.hook("shared-password").fill("another")
    await screen.hook("shared-password-submit").click()
    await expect(screen.hook("shared-password-form")).to_contain_text("This is not the password of the link.")
    await screen.hook("shared-password").fill(SECRET)
    await screen.page.keyboard.press("Enter")
    await expect(screen.hook("shared-name")).to_have_text(film.name)
    await expect(screen.hook("shared-facts")).to_contain_text("to look at only")
    await expect(screen.hook("shared-download")).to_have_count(0)
    await screen.hook("shared-show").click()
    await _plays(screen)
    await expect(screen.hook("viewer-download")).to_have_count(0)

    paths = [urlsplit(address).path for address in requested]
    assert [path for path in paths if path == original_path or path.endswith(("/content", "/download"))] == []
    assert [url for url in requested if SECRET in url or "/auth/" in url] == []
    assert [url for url in requested if not url.startswith((product.address, "blob:", "data:"))] == []
    items = url.replace("/share/", "/api/v1/share-links/token/") + f"/items/{file_id}"
    refused = await visitor.request.get(f"{items}/download", max_redirects=0)
    assert (403, "download-not-permitted") == (refused.status, (await refused.json())["code"])


async def test_a_folder_is_browsed_and_its_files_are_downloaded(
    product: MetastoreProcess, context: BrowserContext, visitor: BrowserContext, drop_folder: Path
) -> None:
    """Folders open, the browser's Back goes back, files are shown by the viewer, and downloads have the same bytes."""
    shared = drop_folder / "Kỳ nghỉ"
    (shared / "Ảnh").mkdir(parents=True)
    (shared / "a.txt").write_text("Xin chào")
    (shared / "Ảnh" / "b.md").write_text("# Nhật ký")
    (shared / "Ảnh" / "c.py").write_text("print('hello')\n")
    owner = await Screen.open(context, product.address)
    await owner.sign_up()
    await drop(owner.page, [shared])
    await expect(owner.page.locator('[data-testid="upload-row"][data-status="done"]')).to_have_count(3)
    await expect(owner.file_row(shared.name)).to_be_visible()
    url = await _share(owner, shared.name, permission="DOWNLOAD")

    screen = Screen(await visitor.new_page(), product.address)
    await screen.page.goto(url)
    await expect(screen.page).to_have_title(re.compile("Kỳ nghỉ"))
    await expect(screen.hook("shared-item")).to_have_count(2)
    await _item(screen, "Ảnh").get_by_role("button").first.click()
    await expect(screen.hook("shared-item")).to_have_count(2)
    await expect(screen.hook("shared-trail")).to_contain_text("Ảnh")
    await screen.hook("shared-view-grid").click()
    await _item(screen, "b.md").get_by_role("button").first.click()
    await expect(screen.hook("viewer-markdown").get_by_role("heading", name="Nhật ký")).to_be_visible()
    await screen.page.keyboard.press("ArrowRight")
    await expect(screen.hook("viewer-name")).to_have_text("c.py")
    await screen.page.go_back()
    await expect(screen.hook("viewer")).to_have_count(0)
    await screen.page.reload()
    await expect(screen.hook("shared-trail")).to_contain_text("Ảnh")
    await screen.page.go_back()
    await expect(_item(screen, "a.txt")).to_be_visible()
    async with screen.page.expect_download() as started:
        await _item(screen, "a.txt").get_by_test_id("shared-item-download").click()
    download = await started.value
    assert ("a.txt", "Xin chào") == (download.suggested_filename, (await download.path()).read_text())
    assert [] == screen.errors


async def test_a_revoked_link_stops_during_playback_and_says_so(
    product: MetastoreProcess, context: BrowserContext, visitor: BrowserContext, film: Path
) -> None:
    """The player is gone within five seconds, whatever it has buffered; the link cannot be opened again."""
    owner = await _drive_with(product, context, film)
    url = await _share(owner, film.name)
    screen = Screen(await visitor.new_page(), product.address)
    await screen.page.goto(url)
    await screen.hook("shared-show").click()
    await _plays(screen)

    await owner.hook("link-menu").click()
    await owner.hook("link-revoke").click()
    await owner.hook("link-confirm").click()
    await expect(owner.hook("share-link")).to_have_attribute("data-state", "revoked")
    revoked_at = monotonic()
    await expect(screen.hook("shared-over")).to_contain_text("This link is no longer shared", timeout=60_000)
    assert monotonic() - revoked_at < STOPS_WITHIN_S
    await expect(screen.hook("player")).to_have_count(0)
    await screen.page.reload()
    await expect(screen.hook("shared-over")).to_have_attribute("data-code", "link-revoked")


async def test_the_owner_manages_links_by_the_dialog(
    product: MetastoreProcess, context: BrowserContext, visitor: BrowserContext
) -> None:
    """Create, copy, change, give a new address, see who opened it, revoke; all links are on a page of their own."""
    await context.grant_permissions(["clipboard-read", "clipboard-write"])
    owner = await _drive_with(product, context, {"name": "a.txt", "mimeType": "text/plain", "buffer": b"Hello"})
    url = await _share(owner, "a.txt", label="For Minh")
    await owner.hook("link-copy").click()
    assert url == await owner.page.evaluate("navigator.clipboard.readText()")
    await owner.hook("link-qr").click()
    await expect(owner.hook("qr-code")).to_be_visible()
    screen = Screen(await visitor.new_page(), product.address)
    await screen.page.goto(url)
    await expect(screen.hook("shared-name")).to_have_text("a.txt")

    await _choose(owner, "link-accesses")
    await expect(owner.hook("link-access")).to_have_count(1)
    await _choose(owner, "link-edit")
    await owner.hook("permission-DOWNLOAD").check()
    await owner.hook("link-submit").click()
    await expect(owner.hook("link-facts")).to_contain_text("download")
    await expect(owner.hook("link-facts")).to_contain_text("Opened 1 time")

    await _choose(owner, "link-rotate")
    await owner.hook("link-confirm").click()
    await expect(owner.hook("link-url")).not_to_have_value(url)
    await screen.page.goto(url)
    await expect(screen.hook("shared-over")).to_be_visible()

    await owner.page.keyboard.press("Escape")
    await owner.hook("nav-shared-links").click()
    await expect(owner.hook("share-link")).to_contain_text("a.txt")
    await expect(owner.hook("share-link")).to_contain_text("For Minh")
    await _choose(owner, "link-revoke")
    await owner.hook("link-confirm").click()
    await expect(owner.hook("share-link")).to_have_attribute("data-state", "revoked")
    assert [] == owner.errors


@pytest.mark.parametrize(("width", "scheme", "language"), [(390, "dark", "vi"), (1280, "light", "en")])
async def test_the_screens_of_links_pass_the_page_checks(
    product: MetastoreProcess, browser: Browser, width: int, scheme: Literal["dark", "light"], language: str
) -> None:
    """The dialog, the page of all links, and what visitors see."""
    context = await open_context(browser, width, scheme, language)
    name = "a file with a name that is far too long for any screen" + " again" * 20 + ".md"
    owner = await _drive_with(product, context, {"name": name, "mimeType": "", "buffer": b"# Hello\n\nWorld"})
    url = await _share(owner, name, password=SECRET, permission="DOWNLOAD", label="For Minh")
    await owner.hook("link-qr").click()
    await expect(owner.hook("qr-code")).to_be_visible()
    await check_page(owner, language, "the dialog")
    await _choose(owner, "link-edit")
    await check_page(owner, language, "the form of a link")
    await _choose(owner, "link-revoke")
    await check_page(owner, language, "the confirmation")
    await owner.goto("/shared-links")
    await expect(owner.hook("share-link")).to_be_visible()
    await check_page(owner, language, "the page of all links")

    visitor = await open_context(browser, width, scheme, language)
    screen = Screen(await visitor.new_page(), product.address)
    await screen.page.goto(url)
    await expect(screen.hook("shared-password-form")).to_be_visible()
    await check_page(screen, language, "the password")
    await screen.hook("shared-password").fill(SECRET)
    await screen.hook("shared-password-submit").click()
    await expect(screen.hook("shared-name")).to_have_text(name)
    await check_page(screen, language, "a shared file")
    await screen.hook("shared-show").click()
    await expect(screen.hook("viewer-markdown")).to_be_visible()
    await check_page(screen, language, "a shared file in the viewer")
    assert [] == screen.errors
    await screen.goto("/share/unknown")
    await expect(screen.hook("shared-over")).to_be_visible()
    await check_page(screen, language, "an unknown link")
    await visitor.close()
    await context.close()


async def _drive_with(product: MetastoreProcess, context: BrowserContext, *files: Path | FilePayload) -> Screen:
    """Open a new user's drive with these files, all of them ready."""
    screen = await Screen.open(context, product.address)
    await screen.sign_up()
    for file in files:
        await screen.upload(file)
    for file in files:
        name = file.name if isinstance(file, Path) else file["name"]
        await expect(screen.file_row(name)).to_have_attribute("data-status", "READY", timeout=120_000)
    await screen.hook("upload-collapse").click()
    return screen


async def _share(owner: Screen, name: str, *, permission: str = "VIEW", password: str = "", label: str = "") -> str:
    """Create a link in the dialog of a file or folder, and return its address."""
    await owner.file_row(name).get_by_test_id("item-more").click()
    await owner.hook("action-share").click()
    await owner.hook(f"permission-{permission}").check()
    await owner.hook("link-password").fill(password)
    await owner.hook("link-label").fill(label)
    await owner.hook("link-submit").click()
    await expect(owner.hook("share-link")).to_have_count(1)
    return await owner.hook("link-url").input_value()


async def _choose(owner: Screen, action: str) -> None:
    """Choose an action in the menu of the only link."""
    await owner.hook("link-menu").click()
    await owner.hook(action).click()


def _item(screen: Screen, name: str) -> Locator:
    """Return the entry of a file or folder in the open folder of a link."""
    return screen.page.locator(f'[data-testid="shared-item"][data-name="{name}"]')


async def _plays(screen: Screen) -> None:
    """Wait until the film has played for a second."""
    player = screen.hook("player")
    await expect(player).to_be_visible()
    if await player.get_attribute("data-state") == "paused":
        await screen.page.keyboard.press("k")
    await screen.page.wait_for_function(
        "() => Number(document.querySelector('[data-testid=player]')?.dataset.time) > 1"
    )
