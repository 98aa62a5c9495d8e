"""One user's tree on each kind of database."""

import pytest

from metastore.kit.database import Database
from tests.features.files.grove import OwnerTree
from tests.fixtures.accounts import add_user
from tests.fixtures.clocks import SettableClock
from tests.fixtures.memory_store import MemoryObjectStore


@pytest.fixture
async def tree(database: Database) -> OwnerTree:
    """A new user's empty tree."""
    return OwnerTree(database, MemoryObjectStore(), SettableClock(), await add_user(database))
