"""Fixtures of the file tests."""

import pytest

from metastore.kit.database.unit_of_work import Database
from tests.features.files.owner_tree import OwnerTree
from tests.fixtures.accounts import add_user
from tests.fixtures.clocks import SettableClock
from tests.fixtures.memory_store import MemoryObjectStore


@pytest.fixture
async def tree(database: Database) -> OwnerTree:
    """The empty tree of a new user, on each kind of database."""
    return OwnerTree(database, MemoryObjectStore(), SettableClock(), await add_user(database))
