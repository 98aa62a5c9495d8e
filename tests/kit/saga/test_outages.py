"""Outages do not count as attempts, but every saga reaches an end state."""

import asyncio
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta

import pytest

from metastore.kit.clock import utc_now
from metastore.kit.database.unit_of_work import Database, Transaction
from metastore.kit.problems.problem import storage_full, unavailable
from metastore.kit.problems.reason_codes import ReasonCode
from metastore.kit.saga import sagas
from metastore.kit.saga.definition import Action, Definition, Outcome, Report, Step
from metastore.kit.saga.models import FAILED, RUNNING, SUCCEEDED, Saga
from metastore.kit.saga.runner import SagaRunner
from tests.fixtures.waiting import eventually

KIND = "order"


class Clock:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.now = utc_now() + timedelta(seconds=1)

    def __call__(self) -> datetime:
        return self.now


async def begin(database: Database) -> None:
    async with database.transaction() as tx:
        sagas.start(tx, KIND, "order-1", done="begin", step="charge", due_at=utc_now(), data={})


async def row(database: Database) -> Saga:
    async with database.reading() as tx:
        return (await sagas.sagas_of(tx, KIND, ["order-1"]))["order-1"]


def definition_of(action: Action) -> Definition:
    steps = [Step("charge", action, ReasonCode.PROCESSING_FAILED)]
    return Definition(KIND, steps, backoff=(0.0,), outage_limit=60, outage_recheck=3)


@pytest.mark.parametrize("problem", [unavailable("offline"), storage_full()])
async def test_an_outage_does_not_count_as_an_attempt(database: Database, problem: Exception) -> None:
    clock, attempts = Clock(), 0

    async def action(_saga: Saga, _report: Report) -> Outcome:
        nonlocal attempts
        attempts += 1
        if attempts <= 10:
            raise problem
        return None

    await begin(database)
    runner = SagaRunner(database, [definition_of(action)], clock=clock)
    for _ in range(10):
        assert 1 == await runner.run_due()
        waiting = await row(database)
        assert (RUNNING, 0) == (waiting.state, waiting.attempts)
        clock.now += timedelta(seconds=5)
    await runner.run_due()
    assert (SUCCEEDED, None) == ((await row(database)).state, (await row(database)).outage_since)


async def test_an_outage_that_does_not_end_fails_the_saga(database: Database) -> None:
    """The limit holds across runners."""
    clock = Clock()
    began = clock.now

    async def action(_saga: Saga, _report: Report) -> Outcome:
        raise unavailable("offline")

    await begin(database)
    while (await row(database)).state == RUNNING:
        await SagaRunner(database, [definition_of(action)], clock=clock).run_due()
        clock.now += timedelta(seconds=5)
        assert clock.now - began < timedelta(seconds=90)
    assert (FAILED, ReasonCode.PROCESSING_FAILED.sentence) == ((await row(database)).state, (await row(database)).error)
    assert clock.now - began > timedelta(seconds=60)


async def test_progress_resets_the_outage_limit(database: Database) -> None:
    clock = Clock()

    async def action(saga: Saga, report: Report) -> Outcome:
        if saga.progress >= 50:
            return None
        async with report.transaction(percent=saga.progress + 1):
            pass
        raise unavailable("offline for a moment")

    await begin(database)
    runner = SagaRunner(database, [definition_of(action)], clock=clock)
    for _ in range(50):
        assert 1 == await runner.run_due()
        clock.now += timedelta(seconds=40)
    await runner.run_due()
    assert SUCCEEDED == (await row(database)).state


async def test_other_errors_count_as_attempts(database: Database) -> None:
    attempts = 0

    async def action(_saga: Saga, _report: Report) -> Outcome:
        nonlocal attempts
        attempts += 1
        raise RuntimeError("failed")

    await begin(database)
    await SagaRunner(database, [definition_of(action)]).run_due()
    assert (3, FAILED) == (attempts, (await row(database)).state)


async def test_a_saga_that_cannot_be_released_is_released_later(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here because the database is unavailable."""
    refusals = 0
    transaction = database.transaction
    offline = False

    def transaction_or_outage() -> AbstractAsyncContextManager[Transaction]:
        nonlocal refusals
        if offline:
            refusals += 1
            raise unavailable("offline")
        return transaction()

    monkeypatch.setattr(database, "transaction", transaction_or_outage)

    async def action(_saga: Saga, _report: Report) -> Outcome:
        nonlocal offline
        offline = True
        async with database.transaction():
            return None

    await begin(database)
    runner = asyncio.create_task(SagaRunner(database, [definition_of(action)], poll_seconds=0.02).run_due())
    await eventually(lambda: refusals >= 4)
    offline = False
    await runner
    assert (RUNNING, 0) == ((await row(database)).state, (await row(database)).attempts)


async def test_a_lease_lost_to_an_outage_does_not_count_as_an_attempt(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The step is stopped, because another worker may claim the saga soon. Here it is run again."""
    started = stopped = refusals = 0
    offline = False
    transaction = database.transaction

    async def action(_saga: Saga, _report: Report) -> Outcome:
        nonlocal started, stopped
        started += 1
        try:
            await asyncio.Event().wait()
        finally:
            stopped += 1
        return None

    def transaction_or_outage() -> AbstractAsyncContextManager[Transaction]:
        nonlocal refusals
        if offline:
            refusals += 1
            raise unavailable("offline")
        return transaction()

    monkeypatch.setattr(database, "transaction", transaction_or_outage)
    await begin(database)
    definition = Definition(
        KIND, [Step("charge", action, ReasonCode.PROCESSING_FAILED, time_limit=None)], lease=0.4, outage_recheck=0.0
    )
    running = asyncio.create_task(SagaRunner(database, [definition], poll_seconds=0.05).run())
    try:
        for _ in range(4):
            await eventually(lambda: started == stopped + 1)
            offline = True
            await eventually(lambda: started == stopped)
            offline = False
        await eventually(lambda: started == 5)
        assert 1 == (await row(database)).attempts
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
