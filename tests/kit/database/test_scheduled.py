"""Listeners hear of scheduled work when it is committed."""

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from metastore.kit.clock import utc_now
from metastore.kit.database import group_commit
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


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_listeners_hear_once_of_transactions_that_share_a_commit(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the earliest due time of all."""
    monkeypatch.setattr(group_commit, "MAX_SECONDS", 600.0)
    heard: list[datetime] = []
    database.on_scheduled("parcels", heard.append)
    due = [utc_now() + timedelta(hours=hours) for hours in (2, 1, 3)]

    async def schedule(due_at: datetime) -> None:
        async with database.transaction() as tx:
            await tx.session.execute(text("SELECT 1"))
            tx.schedule("parcels", due_at)

    await asyncio.gather(*map(schedule, due))
    assert [due[1]] == heard
