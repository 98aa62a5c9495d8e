"""A folder downloaded as one ZIP file in the browser, and resumed where it was cut."""

import asyncio
import hashlib
import os
import subprocess
from pathlib import Path

import httpx
import pytest
from playwright.async_api import BrowserContext, expect

from tests.e2e.screen import Screen
from tests.e2e.test_keyboard import tab_to
from tests.fixtures.process import MetastoreProcess

FILES = 300


@pytest.fixture
def photos(drop_folder: Path) -> Path:
    """A folder with many small files, in folders of their own."""
    for number in range(FILES):
        path = drop_folder / "Ảnh Tết" / f"ngày {number % 5}" / f"ảnh {number}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(1000 + 10 * number))
    return drop_folder / "Ảnh Tết"


async def test_a_folder_is_downloaded_as_a_zip_file_that_can_be_resumed(
    product: MetastoreProcess, context: BrowserContext, photos: Path, tmp_path: Path
) -> None:
    """By keyboard; the cut transfer is resumed by another program, to which the URL is enough."""
    screen = await Screen.open(context, product.address)
    await screen.sign_up()
    await screen.hook("upload-folder-input").set_input_files(photos)
    await expect(screen.hook("upload-row").locator("visible=true").first).to_be_visible()
    await expect(screen.page.locator('[data-testid="upload-row"]:not([data-status="done"])')).to_have_count(0)
    await tab_to(screen, screen.file_row(photos.name))
    await screen.page.keyboard.press("Space")
    await tab_to(screen, screen.hook("bar-download-archive"))
    async with screen.page.expect_download() as started:
        await screen.page.keyboard.press("Enter")
    download = await started.value
    assert download.suggested_filename == "Ảnh Tết.zip"
    await expect(screen.page.get_by_text("Downloading “Ảnh Tết.zip” (")).to_be_visible()
    file = tmp_path / "photos.zip"
    await download.save_as(file)
    tested = await asyncio.to_thread(
        subprocess.run, ["unzip", "-tq", str(file)], capture_output=True, text=True, check=False
    )
    assert tested.returncode == 0, tested.stdout + tested.stderr
    listed = await asyncio.to_thread(
        subprocess.run, ["unzip", "-Z1", str(file)], capture_output=True, text=True, check=True
    )
    assert len(listed.stdout.splitlines()) == 1 + 5 + FILES
    assert screen.errors == []

    whole = file.read_bytes()
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        head = await client.head(download.url)
        cut = int(0.4 * len(whole))
        resume = {"Range": f"bytes={cut}-", "If-Range": head.headers["etag"]}
        rest = await client.get(download.url, headers=resume)
    assert rest.status_code == 206
    assert hashlib.sha256(whole[:cut] + rest.content).digest() == hashlib.sha256(whole).digest()
