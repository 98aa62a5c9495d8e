"""Listeners hear of scheduled work when it is committed."""

from datetime import datetime, timedelta

import pytest

from metastore.kit.clock import utc_now
from metastore.kit.database.unit_of_work import Database


async def test_listeners_hear_of_the_earliest_due_time_after_the_commit(database: Database) -> None:
    """Those of the same topic."""
    heard: list[datetime] = []
    other: list[datetime] = []
    database.on_scheduled("parcels", heard.append)
    database.on_scheduled("letters", other.append)
    early, late = utc_now(), utc_now() + timedelta(hours=1)
    async with database.transaction() as tx:
        tx.schedule("parcels", late)
        tx.schedule("parcels", early)
        assert [] == heard
    assert [early] == heard
    assert [] == other


async def test_listeners_do_not_hear_of_what_is_rolled_back(database: Database) -> None:
    heard: list[datetime] = []
    database.on_scheduled("parcels", heard.append)

    async def fail() -> None:
        async with database.transaction() as tx:
            tx.schedule("parcels", utc_now())
            raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        await fail()
    assert [] == heard


async def test_a_listener_hears_nothing_after_its_block(database: Database) -> None:
    heard: list[datetime] = []
    with database.scheduled("parcels", heard.append):
        pass
    async with database.transaction() as tx:
        tx.schedule("parcels", utc_now())
    assert [] == heard
