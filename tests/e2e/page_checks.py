"""Check the accessibility, layout and translation of a page."""

import re
from pathlib import Path
from typing import Literal

from playwright.async_api import Browser, BrowserContext

from tests.e2e.screen import Screen

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
UNTRANSLATED = re.compile(r"\b(?:account|admin|auth|common|files|notifications|uploads|viewer)\.[a-z]\w*(?:\.\w+)*\b")


async def open_context(browser: Browser, width: int, scheme: Literal["dark", "light"], language: str) -> BrowserContext:
    """Open a browser context of that width in pixels, with a touch screen if it is below 400."""
    return await browser.new_context(
        viewport={"width": width, "height": 844},
        color_scheme=scheme,
        locale={"vi": "vi-VN", "en": "en-GB"}[language],
        reduced_motion="reduce",
        has_touch=width < 400,
    )


async def check_page(screen: Screen, language: str, where: str) -> None:
    """Assert that axe finds no WCAG A or AA violation, nothing scrolls sideways and all text is translated."""
    page = screen.page
    assert await page.evaluate("document.documentElement.lang") == language, where
    sideways = await page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert sideways <= 0, f"{where}: {sideways} pixels wider than the window"
    words = await page.inner_text("body")
    assert not UNTRANSLATED.search(words), f"{where}: {UNTRANSLATED.findall(words)}"
    await page.evaluate(AXE.read_text())
    found = await page.evaluate("(tags) => axe.run({ runOnly: tags })", WCAG)
    violations = [
        f"{violation['id']}: {node['html'][:200]} {node['failureSummary'][:300]}"
        for violation in found["violations"]
        for node in violation["nodes"]
        # The user's initials replace a picture and are not meant as the button's label.
        if (violation["id"], 'data-testid="user-menu"' in node["html"]) != ("label-content-name-mismatch", True)
    ]
    assert not violations, f"{where}:\n" + "\n".join(violations)
