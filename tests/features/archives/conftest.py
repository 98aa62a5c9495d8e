"""Fixtures of the archive tests."""

import pytest

from metastore.kit.database.unit_of_work import Database
from tests.features.archives.archive_drive import ArchiveDrive
from tests.fixtures.accounts import add_user


@pytest.fixture
async def drive(database: Database) -> ArchiveDrive:
    """The empty drive of a new user, on each kind of database."""
    return ArchiveDrive(database, await add_user(database))
