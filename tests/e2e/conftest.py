"""Fixtures for the built web app, served by the product, in a real browser."""

import json
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext

from metastore.entrypoints.serve import WEB_APP
from tests.fixtures.process import MetastoreProcess, running_metastore
from tests.reliability.product_launch import launch

__all__ = ["launch"]

QUOTA = 200_000_000
PART = 2**20


@pytest.fixture(scope="session", autouse=True)
def web_app() -> None:
    """Fail early if the web app is not built."""
    assert (WEB_APP / "index.html").is_file(), "the web app is not built: make web-app"


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MetastoreProcess]:
    """A running product on its embedded default; users have ``QUOTA`` bytes."""
    plans = json.dumps({"FREE": {"storageQuota": QUOTA}})
    with running_metastore(tmp_path_factory.mktemp("product"), PLANS=plans, PART_SIZE=str(PART)) as product:
        yield product


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run these tests on the session's event loop, which the browser's connection belongs to."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent) and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(loop_scope="session")
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    """A new browser context: English, light colour scheme, wide window."""
    context = await browser.new_context(locale="en-GB", viewport={"width": 1280, "height": 800})
    yield context
    await context.close()


@pytest.fixture(scope="session")
def large_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of 30 parts with random content."""
    path = tmp_path_factory.mktemp("large") / "large.bin"
    path.write_bytes(os.urandom(30 * PART - 100))
    return path


@pytest.fixture
def drop_folder() -> Iterator[Path]:
    """A temporary folder to drop files from. Chromium accepts no folders from below ``/dev``."""
    with TemporaryDirectory(prefix="metastore-", dir="/tmp") as folder:
        yield Path(folder)
