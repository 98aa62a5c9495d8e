"""The HTTP application with accounts and sessions only, on each kind of database."""

from collections.abc import AsyncIterator

import pytest

from metastore.kit.database.unit_of_work import Database
from tests.features.auth.auth_app import AuthApp


@pytest.fixture
async def app(database: Database) -> AsyncIterator[AuthApp]:
    """The application over HTTP, with a settable clock and a hasher that counts calls."""
    app = AuthApp(database)
    yield app
    await app.aclose()


@pytest.fixture
async def secure_app(database: Database) -> AsyncIterator[AuthApp]:
    """The same application over HTTPS."""
    app = AuthApp(database, secure=True)
    yield app
    await app.aclose()
