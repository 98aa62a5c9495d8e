"""Measure a folder of small files that is dropped on the web client, in Chromium."""

import shutil
import time
from collections.abc import Callable
from dataclasses import astuple, dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.load import Load
from benchmarks.servers.metastore import MetaStore
from benchmarks.settled import settled
from benchmarks.small_files import small_files

DROPPED = 3_000
_FOLDERS = 10
_LONGEST_MS = 120_000
_LISTED = "document.querySelector('[data-testid=file-row][data-name=\"%s\"]')"
_WATCH_TASKS = """() => {
    window.longestTask = 0;
    new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries()) window.longestTask = Math.max(window.longestTask, duration);
    }).observe({ type: 'longtask' });
}"""


@dataclass(frozen=True)
class Dropped:
    """A dropped folder: seconds from the drop, seconds of CPU, and the longest task of the page in seconds."""

    done: float
    """Until the page shows that all files are uploaded, and lists their folder."""
    handled: float
    """Until the events of all files are handled too."""
    server_cpu: float
    page_cpu: float
    """The page's main thread only."""
    longest_task: float


def measure_browser(load: Load, folder: Path, rounds: int, log: Callable[[str], None]) -> Dropped:
    """Drop ``DROPPED`` small files some times, each time on a new page, and return the medians."""
    product = MetaStore(load, folder, 0)
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            measured = []
            for number in range(1, rounds + 1):
                log(f"browser, round {number} of {rounds}")
                measured.append(_drop_folder(browser, product, f"round-{number}"))
            browser.close()
    finally:
        product.end()
    return Dropped(*(median(values) for values in zip(*map(astuple, measured), strict=True)))


def _drop_folder(browser: Browser, product: MetaStore, name: str) -> Dropped:
    # Chromium takes no dropped folders from below /dev, where the system's temporary folder may be.
    with TemporaryDirectory(prefix="metastore-", dir="/tmp") as temporary:
        dropped = Path(temporary) / name
        for number, file in enumerate(small_files(DROPPED, name)):
            below = dropped / f"{number % _FOLDERS}"
            below.mkdir(parents=True, exist_ok=True)
            (below / file.name).write_bytes(file.content)
        context = browser.new_context(locale="en-GB", viewport={"width": 1280, "height": 800})
        context.add_cookies(
            [
                {"name": cookie.name, "value": cookie.value or "", "url": f"http://127.0.0.1:{product.port}"}
                for cookie in product.api.cookies.jar
            ]
        )
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{product.port}/drive")
        page.get_by_test_id("user-menu").wait_for()
        settled(product.process, product.database)
        figures = _measure(page, product, dropped)
        context.close()
        return figures


def _measure(page: Page, product: MetaStore, dropped: Path) -> Dropped:
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")

    def page_cpu() -> float:
        metrics = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
        return float(metrics["TaskDuration"])

    page.evaluate(_WATCH_TASKS)
    server_before, page_before, start = product.process.cpu_seconds(), page_cpu(), time.perf_counter()
    data = {"items": [], "files": [str(dropped)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, "x": 700, "y": 400, "data": data})
    page.locator("[data-testid=upload-headline]", has_text=f"{DROPPED} files uploaded").wait_for(timeout=_LONGEST_MS)
    page.wait_for_function(_LISTED % dropped.name, timeout=_LONGEST_MS)
    done = time.perf_counter() - start
    handled = settled(product.process, product.database) - start
    return Dropped(
        done=done,
        handled=max(done, handled),
        server_cpu=product.process.cpu_seconds() - server_before,
        page_cpu=page_cpu() - page_before,
        longest_task=float(page.evaluate("window.longestTask")) / 1000,
    )
