"""An application with nothing but accounts and sessions, on each database."""

from collections.abc import AsyncIterator

import pytest

from metastore.kit.database import Database
from tests.features.auth.house import House


@pytest.fixture
async def app(database: Database) -> AsyncIterator[House]:
    """The product's front door over http, with a clock that stands still and a hasher that counts."""
    app = House(database)
    yield app
    await app.aclose()


@pytest.fixture
async def secure_app(database: Database) -> AsyncIterator[House]:
    """The same, reached over https."""
    app = House(database, secure=True)
    yield app
    await app.aclose()
