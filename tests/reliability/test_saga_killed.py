"""When a worker is killed, another one takes over its saga.

Runs alone: it measures how long a takeover takes.
"""

import asyncio
import sys
import time

import pytest

from metastore.kit.clock import utc_now
from metastore.kit.database.unit_of_work import Database, Transaction
from metastore.kit.problems.reason_codes import ReasonCode
from metastore.kit.saga import sagas
from metastore.kit.saga.definition import Definition, Effect, Report, Step
from metastore.kit.saga.models import Saga
from metastore.kit.saga.runner import SagaRunner
from tests.fixtures.killable_saga_worker import KIND, LEASE
from tests.fixtures.waiting import eventually

pytestmark = pytest.mark.alone


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_worker_killed_in_the_middle_of_a_step_is_replaced_within_the_lease(
    database: Database, database_url: str
) -> None:
    """SIGKILL leaves the worker no chance to release its lease."""
    async with database.transaction() as tx:
        sagas.start(tx, KIND, "subject", done="reserve", step="ship", due_at=utc_now(), data={})
    process = await asyncio.create_subprocess_exec(
        "setpriv",
        "--pdeathsig=KILL",
        "--",
        sys.executable,
        "-m",
        "tests.fixtures.killable_saga_worker",
        database_url,
        stdout=asyncio.subprocess.PIPE,
    )
    effects: list[str] = []

    async def finish(_saga: Saga, _report: Report) -> Effect:
        async def effect(_tx: Transaction) -> None:
            effects.append("finished")

        return effect

    async def has_succeeded() -> bool:
        async with database.reading() as tx:
            return (await sagas.sagas_of(tx, KIND, ["subject"]))["subject"].state == "succeeded"

    other = SagaRunner(
        database,
        [Definition(KIND, [Step("ship", finish, ReasonCode.PROCESSING_FAILED)], lease=LEASE)],
        poll_seconds=0.2,
    )
    working: list[asyncio.Task[None]] = []
    try:
        assert process.stdout is not None
        assert b"at work\n" == await asyncio.wait_for(process.stdout.readline(), 30)
        working.append(asyncio.create_task(other.run()))
        # The lease is renewed while the process lives: nobody takes over, however long it takes.
        alive_until = time.monotonic() + 1.5 * LEASE
        await eventually(lambda: time.monotonic() > alive_until)
        assert [] == effects
        process.kill()
        await process.wait()
        killed = time.monotonic()
        await eventually(lambda: effects, timeout=3 * LEASE)
        assert time.monotonic() - killed < LEASE + 2
        await eventually(has_succeeded, why="the effect is committed")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)
    assert ["finished"] == effects
