"""Use the drive by keyboard alone."""

from playwright.async_api import BrowserContext, Locator, expect

from tests.e2e.screen import Screen
from tests.fixtures.process import MetastoreProcess
from tests.fixtures.product import PASSWORD


async def test_the_drive_can_be_used_by_keyboard_alone(product: MetastoreProcess, context: BrowserContext) -> None:
    """Sign in, create a folder, rename it, delete it and restore it from the trash."""
    registration = await Screen.open(context, product.address)
    username = await registration.sign_up()
    await context.clear_cookies()
    await registration.page.close()

    screen = await Screen.open(context, product.address, "/sign-in")
    keyboard = screen.page.keyboard
    await tab_to(screen, screen.hook("login-username"))
    await keyboard.type(username)
    await tab_to(screen, screen.hook("login-password"))
    await keyboard.type(PASSWORD)
    await keyboard.press("Enter")
    await screen.is_signed_in()

    await tab_to(screen, screen.hook("new"))
    await keyboard.press("Enter")
    await arrow_to(screen, screen.hook("new-folder"))
    await keyboard.press("Enter")
    await name_is_selected(screen)
    await keyboard.type("Sổ tay")
    await keyboard.press("Enter")
    await expect(screen.file_row("Sổ tay")).to_be_visible()

    await tab_to(screen, screen.file_row("Sổ tay"))
    await keyboard.press("F2")
    await name_is_selected(screen)
    await keyboard.type("Nhật ký")
    await keyboard.press("Enter")
    await expect(screen.file_row("Nhật ký")).to_be_visible()
    await expect(screen.file_row("Sổ tay")).to_have_count(0)

    await tab_to(screen, screen.file_row("Nhật ký"))
    await keyboard.press("Delete")
    await expect(screen.file_row("Nhật ký")).to_have_count(0)

    await tab_to(screen, screen.hook("nav-trash"))
    await keyboard.press("Enter")
    await expect(screen.file_row("Nhật ký")).to_be_visible()
    await tab_to(screen, screen.file_row("Nhật ký"))
    await keyboard.press("Space")
    await tab_to(screen, screen.hook("bar-restore"))
    await keyboard.press("Enter")
    await expect(screen.file_row("Nhật ký")).to_have_count(0)

    await screen.goto("/drive")
    await tab_to(screen, screen.file_row("Nhật ký"))
    await keyboard.press("Enter")
    await expect(screen.hook("breadcrumb")).to_contain_text("Nhật ký")


async def name_is_selected(screen: Screen) -> None:
    """Wait until the dialog's field is focused and its text selected, so that typing replaces it."""
    field = screen.hook("name-input")
    await expect(field).to_be_focused()
    await screen.page.wait_for_function(
        "() => document.activeElement.selectionEnd > document.activeElement.selectionStart"
    )


async def tab_to(screen: Screen, wanted: Locator, at_most: int = 60) -> None:
    """Press Tab until ``wanted`` has the focus."""
    await expect(wanted).to_be_visible()
    for _ in range(at_most):
        if await wanted.evaluate("(element) => element === document.activeElement"):
            return
        await screen.page.keyboard.press("Tab")
    raise AssertionError(f"{wanted} is not focused after {at_most} presses of Tab")


async def arrow_to(screen: Screen, wanted: Locator) -> None:
    """Press the arrow key in a menu until ``wanted`` has the focus."""
    await expect(wanted).to_be_visible()
    for _ in range(10):
        if await wanted.evaluate("(element) => element === document.activeElement"):
            return
        await screen.page.keyboard.press("ArrowDown")
    raise AssertionError(f"{wanted} is not focused after 10 presses of ArrowDown")
