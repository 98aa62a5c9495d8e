"""While what a step needs is away the saga waits: that is no try, and still it comes to an end."""

import asyncio
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta

import pytest

from metastore.kit import saga
from metastore.kit.clock import utc_now
from metastore.kit.database import Database, Transaction
from metastore.kit.problem import storage_full, unavailable
from metastore.kit.reason_codes import ReasonCode
from metastore.kit.saga_models import FAILED, RUNNING, SUCCEEDED, Saga
from metastore.kit.saga_runner import SagaRunner
from metastore.kit.saga_steps import Action, Definition, Outcome, Report, Step
from tests.fixtures.waiting import eventually

KIND = "tea"


class Clock:
    """Time that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = utc_now() + timedelta(seconds=1)

    def __call__(self) -> datetime:
        return self.now


async def begin(database: Database) -> None:
    async with database.transaction() as tx:
        saga.start(tx, KIND, "pot", done="begin", step="boil", due_at=utc_now(), data={})


async def row(database: Database) -> Saga:
    async with database.reading() as tx:
        return (await saga.sagas_of(tx, KIND, ["pot"]))["pot"]


def boiling(action: Action) -> Definition:
    return Definition(KIND, [Step("boil", action, ReasonCode.PROCESSING_FAILED)], pauses=(0.0,), patience=60, recheck=3)


@pytest.mark.parametrize("problem", [unavailable("away"), storage_full()])
async def test_an_outage_uses_up_no_try(database: Database, problem: Exception) -> None:
    clock, tries = Clock(), 0

    async def action(_saga: Saga, _report: Report) -> Outcome:
        nonlocal tries
        tries += 1
        if tries <= 10:
            raise problem
        return None

    await begin(database)
    runner = SagaRunner(database, [boiling(action)], clock=clock)
    for _ in range(10):
        assert 1 == await runner.run_due()
        waiting = await row(database)
        assert (RUNNING, 0) == (waiting.state, waiting.attempts)
        clock.now += timedelta(seconds=5)
    await runner.run_due()
    assert (SUCCEEDED, None) == ((await row(database)).state, (await row(database)).away_since)


async def test_an_outage_that_does_not_end_fails_the_saga(database: Database) -> None:
    """Whoever looks: each time it is another runner."""
    clock = Clock()
    began = clock.now

    async def action(_saga: Saga, _report: Report) -> Outcome:
        raise unavailable("away")

    await begin(database)
    while (await row(database)).state == RUNNING:
        await SagaRunner(database, [boiling(action)], clock=clock).run_due()
        clock.now += timedelta(seconds=5)
        assert clock.now - began < timedelta(seconds=90)
    assert (FAILED, "It never boiled.") == ((await row(database)).state, (await row(database)).error)
    assert clock.now - began > timedelta(seconds=60)


async def test_patience_begins_anew_when_the_step_comes_further(database: Database) -> None:
    clock = Clock()

    async def action(now: Saga, report: Report) -> Outcome:
        if now.progress >= 50:
            return None
        async with report.transaction(percent=now.progress + 1):
            pass
        raise unavailable("away for a moment")

    await begin(database)
    runner = SagaRunner(database, [boiling(action)], clock=clock)
    for _ in range(50):
        assert 1 == await runner.run_due()
        clock.now += timedelta(seconds=40)
    await runner.run_due()
    assert SUCCEEDED == (await row(database)).state


async def test_a_fault_of_its_own_is_a_try_as_ever(database: Database) -> None:
    tries = 0

    async def action(_saga: Saga, _report: Report) -> Outcome:
        nonlocal tries
        tries += 1
        raise RuntimeError("spilt")

    await begin(database)
    await SagaRunner(database, [boiling(action)]).run_due()
    assert (3, FAILED) == (tries, (await row(database)).state)


async def test_a_saga_that_cannot_be_given_back_is_given_back_later(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database was what is away."""
    refusals = 0
    transaction = database.transaction
    away = False

    def maybe_away() -> AbstractAsyncContextManager[Transaction]:
        nonlocal refusals
        if away:
            refusals += 1
            raise unavailable("away")
        return transaction()

    monkeypatch.setattr(database, "transaction", maybe_away)

    async def action(_saga: Saga, _report: Report) -> Outcome:
        nonlocal away
        away = True
        async with database.transaction():
            return None

    await begin(database)
    runner = asyncio.create_task(SagaRunner(database, [boiling(action)], poll_seconds=0.02).run_due())
    await eventually(lambda: refusals >= 4)
    away = False
    await runner
    assert (RUNNING, 0) == ((await row(database)).state, (await row(database)).attempts)


async def test_a_lease_that_the_database_did_not_renew_is_no_try(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The work is stopped, for somebody else may have the saga soon. Nobody had, and it is done again."""
    begun = stopped = refusals = 0
    away = False
    transaction = database.transaction

    async def action(_saga: Saga, _report: Report) -> Outcome:
        nonlocal begun, stopped
        begun += 1
        try:
            await asyncio.Event().wait()
        finally:
            stopped += 1
        return None

    def maybe_away() -> AbstractAsyncContextManager[Transaction]:
        nonlocal refusals
        if away:
            refusals += 1
            raise unavailable("away")
        return transaction()

    monkeypatch.setattr(database, "transaction", maybe_away)
    await begin(database)
    definition = Definition(
        KIND, [Step("boil", action, ReasonCode.PROCESSING_FAILED, time_limit=None)], lease=0.4, recheck=0.0
    )
    running = asyncio.create_task(SagaRunner(database, [definition], poll_seconds=0.05).run())
    try:
        for _ in range(4):
            await eventually(lambda: begun == stopped + 1)
            away = True
            await eventually(lambda: begun == stopped)
            away = False
        await eventually(lambda: begun == 5)
        assert 1 == (await row(database)).attempts
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
