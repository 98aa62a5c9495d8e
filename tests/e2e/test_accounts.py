"""Sign-in, sign-out and notifications, in several tabs and for several users."""

import re
from pathlib import Path

from playwright.async_api import Browser, BrowserContext, expect

from tests.e2e.screen import Screen
from tests.fixtures.process import MetastoreProcess


async def test_a_wrong_password_is_reported(product: MetastoreProcess, context: BrowserContext) -> None:
    """The form shows an error; the right password then works."""
    screen = await Screen.open(context, product.address)
    username = await screen.sign_up()
    await screen.sign_out()
    await screen.sign_in(username, "not the password")
    await expect(screen.hook("login-error")).to_contain_text(re.compile("wrong", re.IGNORECASE))
    await screen.sign_in(username)
    await screen.is_signed_in()


async def test_a_notification_reaches_only_its_owner(
    product: MetastoreProcess, context: BrowserContext, browser: Browser, tmp_path: Path
) -> None:
    """It appears live in every tab of the owner and in no tab of another user."""
    file = tmp_path / "secret plans.txt"
    file.write_text("secret")
    elsewhere = await browser.new_context(locale="en-GB")
    first = await Screen.open(context, product.address)
    await first.sign_up()
    second = await Screen.open(context, product.address)
    await second.is_signed_in()
    other = await Screen.open(elsewhere, product.address)
    await other.sign_up()
    await first.upload(file)
    for screen in (first, second):
        await expect(screen.hook("bell-count")).to_have_text("1")
    await second.hook("bell").click()
    await second.hook("notification-item").click()
    await expect(second.hook("bell-count")).to_have_count(0)
    # The other user's own notification comes later over the same socket: the owner's would have come before it.
    await other.upload({"name": "mine.txt", "mimeType": "text/plain", "buffer": b"mine"})
    await expect(other.hook("bell-count")).to_have_text("1")
    await other.hook("bell").click()
    await expect(other.hook("notification-item")).to_have_count(1)
    await expect(other.hook("notification-item")).to_contain_text("mine.txt")
    await elsewhere.close()


async def test_signing_out_in_one_tab_signs_out_the_others(product: MetastoreProcess, context: BrowserContext) -> None:
    """The other tabs go to the sign-in page by themselves and show nothing of the drive any more."""
    first = await Screen.open(context, product.address)
    await first.sign_up()
    second = await Screen.open(context, product.address)
    await second.is_signed_in()
    await first.sign_out()
    await expect(second.page).to_have_url(re.compile("/sign-in"))
    await expect(second.hook("user-menu")).to_have_count(0)
    await second.goto("/drive")
    await expect(second.page).to_have_url(re.compile("/sign-in"))


async def test_a_session_continues_without_its_access_token(product: MetastoreProcess, context: BrowserContext) -> None:
    """The page refreshes the token by itself, without a new sign-in."""
    screen = await Screen.open(context, product.address)
    await screen.sign_up()
    await context.clear_cookies(name="access_token")
    await screen.goto("/settings")
    await expect(screen.hook("session-row").first).to_be_visible()
    assert "access_token" in {cookie.get("name") for cookie in await context.cookies()}
