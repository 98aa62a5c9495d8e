"""The real product as processes of their own."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fixtures.postgres import Postgres
from tests.fixtures.process import MetastoreProcess, running_metastore
from tests.fixtures.seaweedfs import S3Server

Launch = Callable[..., MetastoreProcess]
RESTART_SECONDS = 10
QUOTA = 50_000_000


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    """Makes a product that is not started yet; all are ended with the test.

    Settings are given without their prefix; ``folder`` and ``port`` of another one make the two share their data.
    """
    made: list[MetastoreProcess] = []

    def prepare(folder: Path | None = None, port: int | None = None, **settings: str) -> MetastoreProcess:
        process = MetastoreProcess(folder or tmp_path / f"product-{len(made)}", settings, port)
        made.append(process)
        return process

    yield prepare
    for process in made:
        process.kill()
        sys.stdout.write(f"--- the end of {process.log}\n{process.output()[-4000:]}\n")


def restart(product: MetastoreProcess) -> None:
    """Start it after a crash, in the time that is promised: ten seconds, more when others want the processors too."""
    waiting_each = os.getloadavg()[0] / (os.cpu_count() or 1)
    product.start(ready_within=RESTART_SECONDS * max(1, waiting_each))


@pytest.fixture(params=["sqlite", "postgresql"])
def database_setting(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """What to set for a product to use an empty database; the test runs once on each kind."""
    if request.param == "sqlite":
        yield {}
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = server.create_database()
    yield {"DATABASE_URL": server.url(name)}
    server.drop_database(name)


@pytest.fixture(scope="session", params=["sqlite-embedded", "postgresql-embedded", "sqlite-s3", "postgresql-s3"])
def profile(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MetastoreProcess]:
    """A running product on each kind of database and of object store; users have ``QUOTA`` bytes there."""
    database, store = request.param.split("-")
    settings = {"PLANS": json.dumps({"FREE": {"storageQuota": QUOTA}})}
    if database == "postgresql":
        postgres: Postgres = request.getfixturevalue("postgres")
        settings["DATABASE_URL"] = postgres.url(postgres.create_database())
    if store == "s3":
        settings |= s3_settings(request.getfixturevalue("seaweedfs"), bucket=request.param)
    with running_metastore(tmp_path_factory.mktemp(request.param), **settings) as product:
        yield product


def s3_settings(server: S3Server, bucket: str) -> dict[str, str]:
    """What to set for a product to keep its objects on that server."""
    return {
        "STORAGE_URL": f"s3://{bucket}?endpoint={server.endpoint}&region=us-east-1",
        "S3_ACCESS_KEY_ID": server.access_key,
        "S3_SECRET_ACCESS_KEY": server.secret_key,
    }
