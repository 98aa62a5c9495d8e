"""Fixtures that all tests share."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.async_api import Browser

from metastore.kit.database import Database
from metastore.migrations import upgrade
from tests.fixtures.browser import running_chromium
from tests.fixtures.kafka import kafka
from tests.fixtures.logs import plain_logs
from tests.fixtures.media import make_video
from tests.fixtures.postgres import Postgres, running_postgres
from tests.fixtures.rabbitmq import rabbitmq
from tests.fixtures.seaweedfs import seaweedfs
from tests.fixtures.stack import stack

__all__ = ["kafka", "rabbitmq", "seaweedfs", "stack"]

_ALONE = tuple(Path(__file__).parent / name for name in ("e2e", "reliability"))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run whole products and browsers alone: each of these tests keeps both cores busy by itself."""
    for item in items:
        if any(item.path.is_relative_to(folder) for folder in _ALONE):
            item.add_marker("alone")


@pytest.fixture(scope="session", autouse=True)
def logs() -> None:
    """Log lines that cost nothing."""
    plain_logs()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A private PostgreSQL server."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres: Postgres) -> str:
    """The name of a database with all tables, for others to be copied from."""
    name = postgres.create_database()
    _run_apart(upgrade(postgres.url(name)))
    return name


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with all tables, for others to be copied from."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    _run_apart(upgrade(f"sqlite+aiosqlite:///{path}"))
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database with all tables and no rows; the test runs once on each kind."""
    if request.param == "sqlite":
        path = tmp_path / "metastore.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite+aiosqlite:///{path}"
        return
    template = request.getfixturevalue("postgres_template")
    server: Postgres = request.getfixturevalue("postgres")
    name = server.create_database(template)
    yield server.url(name)
    server.drop_database(name)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An open database with all tables and no rows; the test runs once on each kind."""
    database = Database(database_url)
    yield database
    await database.aclose()


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """A real Chromium, headless."""
    async with running_chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A playable film of about 100 MB."""
    return make_video(tmp_path_factory.mktemp("media") / "film.mp4", megabytes=100)


def _run_apart(work: Coroutine[None, None, None]) -> None:
    """Run ``work`` on a loop and thread of its own, so that the tests' loop is left as it is."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, work).result()
