"""The HTTP application with accounts and sessions only, on each kind of database."""

from collections.abc import AsyncIterator

import pytest

from metastore.kit.database import Database
from tests.features.auth.house import House


@pytest.fixture
async def app(database: Database) -> AsyncIterator[House]:
    """The application over HTTP, with a settable clock and a hasher that counts calls."""
    app = House(database)
    yield app
    await app.aclose()


@pytest.fixture
async def secure_app(database: Database) -> AsyncIterator[House]:
    """The same application over HTTPS."""
    app = House(database, secure=True)
    yield app
    await app.aclose()
