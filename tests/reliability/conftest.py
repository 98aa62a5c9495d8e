"""Fixtures that run the product as separate processes."""

import json
from collections.abc import Iterator

import pytest

from tests.fixtures.postgres import Postgres
from tests.fixtures.process import MetastoreProcess, running_metastore
from tests.reliability.product_launch import launch, s3_settings

__all__ = ["launch"]

QUOTA = 50_000_000


@pytest.fixture(params=["sqlite", "postgresql"])
def database_setting(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """Settings for an empty database; the test runs once on each kind."""
    if request.param == "sqlite":
        yield {}
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = server.create_database()
    yield {"DATABASE_URL": server.url(name)}
    server.drop_database(name)


@pytest.fixture(scope="session", params=["sqlite-embedded", "postgresql-embedded", "sqlite-s3", "postgresql-s3"])
def profile(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MetastoreProcess]:
    """A running product on each kind of database and object store; users have ``QUOTA`` bytes."""
    database, store = request.param.split("-")
    settings = {"PLANS": json.dumps({"FREE": {"storageQuota": QUOTA}})}
    if database == "postgresql":
        postgres: Postgres = request.getfixturevalue("postgres")
        settings["DATABASE_URL"] = postgres.url(postgres.create_database())
    if store == "s3":
        settings |= s3_settings(request.getfixturevalue("seaweedfs"), bucket=request.param)
    with running_metastore(tmp_path_factory.mktemp(request.param), **settings) as product:
        yield product
