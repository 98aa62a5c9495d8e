"""Killed relays and consumers lose no event and repeat no effect."""

import asyncio
import sys
from collections import Counter

import pytest
from sqlalchemy import text

from metastore.kit.database.unit_of_work import Database
from tests.fixtures.events import SampleRecorded
from tests.fixtures.killable_relay import CONSUMERS

EVENTS = 200


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_events_take_effect_exactly_once_while_processes_are_killed(database: Database) -> None:
    """The processes get SIGKILL at random moments, again and again."""
    async with database.engine.begin() as connection:
        await connection.execute(text("CREATE TABLE test_effects (consumer TEXT, event_id TEXT)"))
    for start in range(0, EVENTS, 20):
        async with database.transaction() as tx:
            for number in range(start, start + 20):
                tx.record(SampleRecorded(sample=f"sample-{number % 7}", number=number))

    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.fixtures.killable_relay",
        str(database.url.database),
        "seed",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        killed, errors = await asyncio.wait_for(process.communicate(), 120)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
    assert process.returncode == 0, errors.decode()
    assert int(killed) > 2

    async with database.reading() as tx:
        effects = (await tx.session.execute(text("SELECT consumer, event_id FROM test_effects"))).all()
        expected = (await tx.session.execute(text("SELECT id FROM outbox_events"))).scalars().all()
    assert EVENTS == len(expected)
    assert Counter((consumer, event_id) for consumer in CONSUMERS for event_id in expected) == Counter(
        map(tuple, effects)
    )
