"""The main job, end to end: a film of 100 MB goes up from a real browser, outlives a crash, and comes back the same."""

import asyncio
import hashlib
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.fixtures.process import MetastoreProcess
from tests.fixtures.seaweedfs import S3Server
from tests.fixtures.waiting import eventually
from tests.reliability.conftest import Launch, launch, s3_settings

__all__ = ["launch"]

USERNAME, PASSWORD = "linh.tran", "correct horse battery staple"
BYTES_PER_SECOND = 12_000_000
PATIENCE = 120_000
"""Milliseconds; two processors are shared with everything else that is tested."""


@pytest.fixture(params=["embedded", "s3"])
def product(request: pytest.FixtureRequest, launch: Launch) -> MetastoreProcess:
    """A started product with its objects in its own folder, and one with them on an S3 server."""
    settings = {}
    if request.param == "s3":
        server: S3Server = request.getfixturevalue("seaweedfs")
        settings = s3_settings(server, bucket="films")
    product = launch(**settings)
    product.start()
    return product


async def test_a_film_goes_up_through_a_crash_of_the_server_and_comes_back_the_same(
    product: MetastoreProcess, browser: Browser, video: Path, tmp_path: Path
) -> None:
    page = await browser.new_page()
    await sign_up(page, product.address)
    await slow_down(page)
    await page.get_by_test_id("upload-input").first.set_input_files(video)
    row = page.get_by_test_id("upload-row").first

    await eventually_progress(page, at_least=45)
    product.kill()
    assert await progress_of(page) < 100
    await expect(row).to_have_attribute("data-status", "waiting", timeout=PATIENCE)
    await asyncio.to_thread(product.start)
    await expect(row).to_have_attribute("data-status", "done", timeout=PATIENCE)

    await expect(page.get_by_test_id("bell-count")).to_have_text("1", timeout=PATIENCE)
    downloaded = await download(page, video.name, tmp_path)
    assert await sha256(downloaded) == await sha256(video)


async def sign_up(page: Page, address: str) -> None:
    """Make an account and be signed in, by the screens."""
    await page.goto(f"{address}/register")
    await page.get_by_label("Username").fill(USERNAME)
    await page.get_by_label("E-mail").fill(f"{USERNAME}@example.org")
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_test_id("register-submit").click()
    await expect(page.get_by_test_id("storage-meter")).to_be_visible(timeout=PATIENCE)


async def slow_down(page: Page) -> None:
    """Give the browser a network on which the upload takes some seconds."""
    session = await page.context.new_cdp_session(page)
    await session.send("Network.enable")
    await session.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": BYTES_PER_SECOND},
    )


async def progress_of(page: Page) -> float:
    """How far the first upload is, in per cent."""
    return float(await page.get_by_test_id("upload-row").first.get_attribute("data-progress") or 0)


async def eventually_progress(page: Page, at_least: float) -> None:
    """Wait until the first upload is that far."""

    async def far_enough() -> bool:
        return await progress_of(page) >= at_least

    await expect(page.get_by_test_id("upload-row").first).to_be_visible(timeout=PATIENCE)
    await eventually(far_enough, timeout=PATIENCE / 1000, interval=0.02, why=f"the upload is at {at_least} %")


async def download(page: Page, name: str, folder: Path) -> Path:
    """Download a file as people do, by its row."""
    row = page.locator(f'[data-testid="file-row"][data-name="{name}"]')
    async with page.expect_download(timeout=PATIENCE) as started:
        await row.focus()
        await page.keyboard.press("Enter")
    path = folder / "downloaded"
    await (await started.value).save_as(path)
    return path


async def sha256(path: Path) -> str:
    """The digest of a file."""

    def digest() -> str:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    return await asyncio.to_thread(digest)
