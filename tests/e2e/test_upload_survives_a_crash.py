"""A large upload survives a crash of the server, and its owner is notified."""

from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, expect

from tests.e2e.screen import Screen, digest_of
from tests.fixtures.process import MetastoreProcess
from tests.reliability.product_launch import Launch, restart, s3_settings

SPEED = 4 * 2**20
"""Bytes per second, slow enough to kill the server halfway."""


@pytest.fixture(params=["embedded", "s3"])
def product(request: pytest.FixtureRequest, launch: Launch) -> MetastoreProcess:
    """A running product on each kind of object store."""
    settings = {}
    if request.param == "s3":
        settings = s3_settings(request.getfixturevalue("seaweedfs"), bucket="crash")
    product = launch(**settings)
    product.start()
    return product


async def test_an_upload_survives_a_kill_of_the_server_half_way(
    product: MetastoreProcess, context: BrowserContext, video: Path, tmp_path: Path
) -> None:
    """After the restart the upload continues by itself, and the download has the same bytes."""
    screen = await Screen.open(context, product.address)
    await screen.sign_up()
    await screen.page.evaluate("window.sameDocument = true")
    await expect(screen.hook("bell-count")).to_have_count(0)

    await screen.limit_upload(SPEED)
    await screen.upload(video)
    await screen.has_reached(video.name, 45)
    product.kill()
    assert await screen.progress_of(video.name) < 90, "the upload was nearly finished before the kill"
    await screen.has_upload(video.name, "waiting")
    restart(product)
    await screen.limit_upload(0)
    await screen.has_upload(video.name, "done", timeout=90_000)

    # The notification comes once processing has finished, which includes the film's renditions.
    await expect(screen.hook("bell-count")).to_have_text("1", timeout=120_000)
    await screen.hook("bell").click()
    await expect(screen.hook("notification-item")).to_contain_text(video.name)
    await screen.page.keyboard.press("Escape")
    assert await screen.page.evaluate("window.sameDocument"), "the page was reloaded"

    row = screen.file_row(video.name)
    await expect(row).to_have_attribute("data-status", "READY")
    await row.get_by_test_id("item-more").click()
    async with screen.page.expect_download() as started:
        await screen.hook("action-download").click()
    download = await started.value
    assert download.suggested_filename == video.name
    await download.save_as(tmp_path / "downloaded.mp4")
    assert digest_of(tmp_path / "downloaded.mp4") == digest_of(video)
