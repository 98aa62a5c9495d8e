"""The web app on the scale-out profile: requests go to the gateway, bytes directly to the store."""

from pathlib import Path
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, expect

from deploy.local.stack import Stack
from tests.e2e.screen import Screen, requests_of


async def test_an_upload_goes_from_the_browser_to_the_store(
    stack: Stack, context: BrowserContext, large_file: Path
) -> None:
    """The page may connect to the store's origin, every part is sent there, and the file becomes ready."""
    screen = await Screen.open(context, stack.address)
    await screen.sign_up()
    with requests_of(screen.page, "PUT") as sent:
        await screen.upload(large_file)
        await screen.has_upload(large_file.name, "done")
    assert {f"127.0.0.1:{stack.nginx.store_port}"} == {urlsplit(request.url).netloc for request in sent}
    await expect(screen.file_row(large_file.name)).to_have_attribute("data-status", "READY")
    assert [] == screen.errors
