"""Fixtures that all tests share."""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from metastore.kit.database.unit_of_work import Database
from tests.fixtures.browser import running_chromium
from tests.fixtures.databases import make_connecting_patient, make_sqlite_database
from tests.fixtures.kafka import running_tansu
from tests.fixtures.logs import plain_logs
from tests.fixtures.media import make_video
from tests.fixtures.passwords import make_hashing_cheap
from tests.fixtures.postgres import MigratedDatabases, Postgres, running_postgres
from tests.fixtures.rabbitmq import SharedRabbitMq, killable_rabbitmq, running_shared_rabbitmq
from tests.fixtures.redis import RedisDatabases, running_shared_redis
from tests.fixtures.seaweedfs import S3Server, running_seaweedfs
from tests.fixtures.shared_servers import SharedServers, shared_server
from tests.fixtures.stack import stack

if TYPE_CHECKING:
    from xdist.workermanage import WorkerController  # type: ignore[import-untyped]  # the package has no types

__all__ = ["killable_rabbitmq", "stack"]

_STOPPABLE = {"stack", "killable_rabbitmq"}
_ENOUGH_MEMORY = 4 * 2**30
_shared_servers = pytest.StashKey[SharedServers]()
_shared_servers_address = pytest.StashKey[str]()


def _use_memory_for_files() -> None:
    """Put temporary files in memory if there is enough of it, since SQLite and the stores wait for the disk."""
    memory = Path("/dev/shm")
    if memory.is_dir() and shutil.disk_usage(memory).free > _ENOUGH_MEMORY and os.access(memory, os.W_OK):
        os.environ["TMPDIR"] = os.environ["PYTEST_DEBUG_TEMPROOT"] = tempfile.tempdir = str(memory)


def pytest_configure(config: pytest.Config) -> None:
    """Own the shared servers, or, in a pytest-xdist worker, note where their owner listens."""
    _use_memory_for_files()
    if hasattr(config, "workerinput"):
        config.stash[_shared_servers_address] = config.workerinput["shared_servers"]
        return
    config.stash[_shared_servers] = SharedServers(
        {
            "postgresql": running_postgres,
            "rabbitmq": running_shared_rabbitmq,
            "redis": running_shared_redis,
            "seaweedfs": running_seaweedfs,
            "kafka": running_tansu,
        }
    )
    config.stash[_shared_servers_address] = config.stash[_shared_servers].address


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: "WorkerController") -> None:
    """Tell a pytest-xdist worker where the shared servers are."""
    node.workerinput["shared_servers"] = node.config.stash[_shared_servers_address]


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the shared servers."""
    if _shared_servers in config.stash:
        config.stash[_shared_servers].close()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests that use ``stack`` or ``killable_rabbitmq`` as ``alone``, since they stop parts of these servers."""
    for item in items:
        if _STOPPABLE & set(getattr(item, "fixturenames", ())):
            item.add_marker("alone")


@pytest.fixture(scope="session", autouse=True)
def logs() -> None:
    """Print log lines without the rendering that takes a second per traceback."""
    plain_logs()


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> None:
    """Hash passwords at the lowest cost, except where a test sets the cost."""
    make_hashing_cheap()


@pytest.fixture(scope="session", autouse=True)
def patient_connecting() -> None:
    """Do not take a busy machine for an outage of PostgreSQL."""
    make_connecting_patient()


@pytest.fixture(scope="session")
def postgres(pytestconfig: pytest.Config) -> Postgres:
    """The PostgreSQL server that all tests share; each test uses its own databases."""
    server = shared_server(pytestconfig.stash[_shared_servers_address], "postgresql")
    assert isinstance(server, Postgres)
    return server


@pytest.fixture(scope="session")
def seaweedfs(pytestconfig: pytest.Config) -> S3Server:
    """The S3 server that all tests share; each test process uses its own buckets."""
    server = shared_server(pytestconfig.stash[_shared_servers_address], "seaweedfs")
    assert isinstance(server, S3Server)
    return server


@pytest.fixture(scope="session")
def rabbitmq(pytestconfig: pytest.Config) -> SharedRabbitMq:
    """The RabbitMQ that all tests share; each test uses its own queue names."""
    broker = shared_server(pytestconfig.stash[_shared_servers_address], "rabbitmq")
    assert isinstance(broker, SharedRabbitMq)
    return broker


@pytest.fixture(scope="session")
def redis(pytestconfig: pytest.Config, worker_number: int) -> RedisDatabases:
    """The Redis that all tests share; each test uses its own database."""
    port = shared_server(pytestconfig.stash[_shared_servers_address], "redis")
    assert isinstance(port, int)
    return RedisDatabases(port, first=1000 * worker_number)


@pytest.fixture(scope="session")
def kafka(pytestconfig: pytest.Config) -> str:
    """The URL of the Kafka broker that all tests share; each test uses its own topic names."""
    return str(shared_server(pytestconfig.stash[_shared_servers_address], "kafka"))


@pytest.fixture(scope="session")
def worker_number() -> int:
    """The number of this test process, counted from 0."""
    return int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


@pytest.fixture(scope="session")
def migrated_databases(postgres: Postgres) -> Iterator[MigratedDatabases]:
    """A pool of PostgreSQL databases with all tables and no rows."""
    databases = MigratedDatabases(postgres)
    yield databases
    databases.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database with all tables and no rows; the test runs on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        yield make_sqlite_database(tmp_path / "metastore.db")
        return
    databases: MigratedDatabases = request.getfixturevalue("migrated_databases")
    server: Postgres = request.getfixturevalue("postgres")
    name = databases.take()
    yield server.url(name)
    databases.release(name)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An open database with all tables and no rows; the test runs on SQLite and on PostgreSQL."""
    database = Database(database_url)
    yield database
    await database.aclose()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """A headless Chromium for all tests on the session's event loop; each test opens its own browser contexts."""
    async with running_chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A playable film of about 40 MB."""
    return make_video(tmp_path_factory.mktemp("media") / "film.mp4", megabytes=40)
