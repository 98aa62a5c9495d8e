"""The web app in a real browser, as a user operates it."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.async_api import BrowserContext, FilePayload, Locator, Page, Request, expect

from metastore.kit.ids import new_id
from tests.fixtures.product import PASSWORD

TIMEOUT_MS = 60_000
"""Time limit in milliseconds for anything to appear; the machine may be busy with other tests."""
expect.set_options(timeout=TIMEOUT_MS)

Files = str | Path | FilePayload | Sequence[str | Path] | Sequence[FilePayload]


class Screen:
    """One tab on the web app at ``address``."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address
        self.errors: list[str] = []
        """Errors from the browser's console and exceptions on the page."""
        page.set_default_timeout(TIMEOUT_MS)
        page.on("console", lambda message: self._note(message.type, message.text))
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    @classmethod
    async def open(cls, context: BrowserContext, address: str, path: str = "/") -> "Screen":
        """Open a new tab of ``context``."""
        screen = cls(await context.new_page(), address)
        await screen.goto(path)
        return screen

    async def goto(self, path: str) -> None:
        """Open a path of the product."""
        await self.page.goto(f"{self.address}{path}")

    def hook(self, name: str) -> Locator:
        """Return the elements with the test id ``name``."""
        return self.page.get_by_test_id(name)

    async def sign_up(self, username: str | None = None) -> str:
        """Register with the form, which also signs in, and return the user name."""
        username = username or f"user-{new_id()[-12:]}"
        await self.goto("/register")
        await self.hook("register-username").fill(username)
        await self.hook("register-email").fill(f"{username}@example.org")
        await self.hook("register-password").fill(PASSWORD)
        await self.hook("register-submit").click()
        await self.is_signed_in()
        # Before the sign-in, the request for the user returned 401, which the console reports as an error.
        self.errors.clear()
        return username

    async def sign_in(self, username: str, password: str = PASSWORD) -> None:
        """Fill in the sign-in form and send it."""
        await self.goto("/sign-in")
        await self.hook("login-username").fill(username)
        await self.hook("login-password").fill(password)
        await self.hook("login-submit").click()

    async def is_signed_in(self) -> None:
        """Wait until the drive is shown."""
        await expect(self.hook("user-menu")).to_be_visible()
        await expect(self.page).to_have_url(re.compile("/drive"))

    async def upload(self, files: Files) -> None:
        """Upload files with the file chooser."""
        await self.hook("upload-input").set_input_files(files)

    def upload_row(self, name: str) -> Locator:
        """Return the row of an upload in the panel."""
        return self.page.locator(f'[data-testid="upload-row"][data-name="{name}"]')

    def file_row(self, name: str) -> Locator:
        """Return the row of a file or folder in the list."""
        return self.page.locator(f'[data-testid="file-row"][data-name="{name}"]')

    async def has_upload(self, name: str, status: str, timeout: float = TIMEOUT_MS) -> None:
        """Wait until an upload has that status."""
        await expect(self.upload_row(name)).to_have_attribute("data-status", status, timeout=timeout)

    async def has_reached(self, name: str, percent: int) -> None:
        """Wait until an upload has reached ``percent``."""
        await self.page.wait_for_function(
            """([name, percent]) => {
                const row = [...document.querySelectorAll('[data-testid=upload-row]')]
                    .find((row) => row.dataset.name === name);
                return row && Number(row.dataset.progress) >= percent;
            }""",
            arg=[name, percent],
            polling=20,
        )

    async def progress_of(self, name: str) -> int:
        """Return the progress of an upload in percent."""
        return int(await self.upload_row(name).get_attribute("data-progress") or 0)

    async def limit_upload(self, bytes_per_second: int) -> None:
        """Limit the upload bandwidth of the tab; 0 removes the limit."""
        session = await self.page.context.new_cdp_session(self.page)
        await session.send("Network.enable")
        conditions = {
            "offline": False,
            "latency": 0,
            "downloadThroughput": -1,
            "uploadThroughput": bytes_per_second or -1,
        }
        await session.send("Network.emulateNetworkConditions", conditions)

    async def sign_out(self) -> None:
        """Sign out with the user menu."""
        await self.hook("user-menu").click()
        await self.hook("logout").click()
        await expect(self.page).to_have_url(re.compile("/sign-in"))

    def _note(self, kind: str, text: str) -> None:
        if kind == "error":
            self.errors.append(text)


@contextmanager
def requests_of(page: Page, method: str) -> Iterator[list[Request]]:
    """Collect the requests with that method during the block."""
    seen: list[Request] = []

    def note(request: Request) -> None:
        if request.method == method:
            seen.append(request)

    page.on("request", note)
    try:
        yield seen
    finally:
        page.remove_listener("request", note)


async def drop(page: Page, paths: list[Path]) -> None:
    """Drop files and folders on the middle of the page."""
    session = await page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        await session.send("Input.dispatchDragEvent", {"type": kind, "x": 700, "y": 400, "data": data})


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
