"""When a worker is killed, another one takes over its saga.

Runs alone: it measures how long a takeover takes.
"""

import asyncio
import sys
import time

import pytest

from metastore.kit import saga
from metastore.kit.clock import utc_now
from metastore.kit.database import Database, Transaction
from metastore.kit.saga_models import Saga
from metastore.kit.saga_runner import SagaRunner
from metastore.kit.saga_steps import Definition, Effect, Report, Step
from tests.fixtures.saga_victim import KIND, LEASE
from tests.fixtures.waiting import eventually

pytestmark = pytest.mark.alone


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_worker_killed_in_the_middle_of_a_step_is_replaced_within_the_lease(
    database: Database, database_url: str
) -> None:
    """SIGKILL; no message is sent, no lock is given back."""
    async with database.transaction() as tx:
        saga.start(tx, KIND, "pot", done="fill", step="boil", due_at=utc_now(), data={})
    victim = await asyncio.create_subprocess_exec(
        "setpriv",
        "--pdeathsig=KILL",
        "--",
        sys.executable,
        "-m",
        "tests.fixtures.saga_victim",
        database_url,
        stdout=asyncio.subprocess.PIPE,
    )
    effects: list[str] = []

    async def boil(_saga: Saga, _report: Report) -> Effect:
        async def effect(_tx: Transaction) -> None:
            effects.append("boiled")

        return effect

    async def has_succeeded() -> bool:
        async with database.reading() as tx:
            return (await saga.sagas_of(tx, KIND, ["pot"]))["pot"].state == "succeeded"

    other = SagaRunner(database, [Definition(KIND, [Step("boil", boil, "")], lease=LEASE)], poll_seconds=0.2)
    working: list[asyncio.Task[None]] = []
    try:
        assert victim.stdout is not None
        assert b"at work\n" == await asyncio.wait_for(victim.stdout.readline(), 30)
        working.append(asyncio.create_task(other.run()))
        # The lease is renewed while the victim lives: nobody takes over, however long it takes.
        alive_until = time.monotonic() + 1.5 * LEASE
        await eventually(lambda: time.monotonic() > alive_until)
        assert [] == effects
        victim.kill()
        await victim.wait()
        killed = time.monotonic()
        await eventually(lambda: effects, timeout=3 * LEASE)
        assert time.monotonic() - killed < LEASE + 2
        await eventually(has_succeeded, why="the effect is committed")
    finally:
        if victim.returncode is None:
            victim.kill()
            await victim.wait()
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)
    assert ["boiled"] == effects
