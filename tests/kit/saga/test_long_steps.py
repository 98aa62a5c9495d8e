"""Long steps: intermediate results, attempts and lanes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from metastore.kit.clock import utc_now
from metastore.kit.database.unit_of_work import Database
from metastore.kit.events.outbox import OutboxEvent
from metastore.kit.problems.reason_codes import ReasonCode
from metastore.kit.saga import claims, sagas
from metastore.kit.saga.claims import LeaseLostError
from metastore.kit.saga.definition import Action, Definition, Outcome, Report, Step
from metastore.kit.saga.models import Saga, SagaRow
from metastore.kit.saga.runner import SagaRunner
from tests.fixtures.events import SampleRecorded
from tests.fixtures.waiting import eventually

KIND = "order"


async def begin(database: Database, subject: str = "order-1", step: str = "charge") -> None:
    async with database.transaction() as tx:
        sagas.start(tx, KIND, subject, done="begin", step=step, due_at=utc_now(), data={})


async def row(database: Database, subject: str = "order-1") -> SagaRow:
    async with database.reading() as tx:
        return (await tx.session.scalars(select(SagaRow).where(SagaRow.subject == subject))).one()


async def count_events(database: Database) -> int:
    async with database.reading() as tx:
        return await tx.session.scalar(select(func.count()).select_from(OutboxEvent)) or 0


def definition_of(action: Action) -> Definition:
    return Definition(KIND, [Step("charge", action, ReasonCode.PROCESSING_FAILED, time_limit=None)], backoff=(0.0,))


async def test_a_step_that_makes_progress_is_retried_without_limit(database: Database) -> None:
    """Frequent deployments must not make a long step fail."""
    seen: list[int] = []

    async def interrupted(saga: Saga, report: Report) -> Outcome:
        seen.append(saga.progress)
        if saga.progress < 90:
            async with report.transaction(percent=saga.progress + 10):
                pass
            raise RuntimeError("stopped by a deploy")
        return None

    await begin(database)
    await SagaRunner(database, [definition_of(interrupted)]).run_due()
    assert (list(range(0, 100, 10)), "succeeded") == (seen, (await row(database)).state)


@pytest.mark.parametrize("reached", [0, 40])
async def test_a_step_without_progress_fails(database: Database, reached: int) -> None:
    attempts = 0

    async def dies(_saga: Saga, report: Report) -> Outcome:
        nonlocal attempts
        attempts += 1
        await report(reached)
        raise RuntimeError("failed")

    await begin(database)
    await SagaRunner(database, [definition_of(dies)]).run_due()
    assert (3, "failed") == (attempts, (await row(database)).state)


async def test_progress_below_one_percent_counts(database: Database) -> None:
    attempts = 0

    async def slow(_saga: Saga, report: Report) -> Outcome:
        nonlocal attempts
        attempts += 1
        if attempts < 8:
            async with report.transaction(further=True):
                pass
            raise RuntimeError("stopped")
        return None

    await begin(database)
    await SagaRunner(database, [definition_of(slow)]).run_due()
    assert (8, "succeeded") == (attempts, (await row(database)).state)


async def test_stopping_a_runner_after_progress_does_not_count_as_an_attempt(database: Database) -> None:
    at_work = asyncio.Event()

    async def hang(_saga: Saga, report: Report) -> Outcome:
        async with report.transaction(percent=5):
            pass
        at_work.set()
        await asyncio.Event().wait()
        return None

    await begin(database)
    stopped = asyncio.create_task(SagaRunner(database, [definition_of(hang)]).run())
    await at_work.wait()
    stopped.cancel()
    await asyncio.gather(stopped, return_exceptions=True)
    assert (0, 5) == ((await row(database)).attempts, (await row(database)).progress)


async def test_intermediate_results_survive_a_failure(database: Database) -> None:
    async def fails(_saga: Saga, report: Report) -> Outcome:
        async with report.transaction() as tx:
            tx.record(SampleRecorded(sample="intermediate"))
        raise RuntimeError("failed")

    await begin(database)
    await SagaRunner(database, [definition_of(fails)]).run_due()
    assert 3 == await count_events(database)


async def test_a_worker_that_has_lost_its_lease_saves_no_intermediate_results(database: Database) -> None:
    lost: list[bool] = []

    async def overtaken(_saga: Saga, report: Report) -> Outcome:
        later = SagaRunner(database, [definition_of(_at_once)], clock=lambda: utc_now() + timedelta(hours=1))
        assert 1 == await later.run_due()
        try:
            async with report.transaction() as tx:
                tx.record(SampleRecorded(sample="too late"))
        except LeaseLostError:
            lost.append(True)
            raise
        return None

    await begin(database)
    await SagaRunner(database, [definition_of(overtaken)]).run_due()
    assert ([True], 0, "succeeded") == (lost, await count_events(database), (await row(database)).state)


async def test_short_steps_do_not_wait_for_long_ones(database: Database) -> None:
    """One of three long sagas runs and two wait. Short steps before and after the long one run meanwhile."""
    go_on, at_once, most = asyncio.Event(), 0, 0

    async def slow(_saga: Saga, _report: Report) -> Outcome:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await go_on.wait()
        at_once -= 1
        return None

    async def is_slow(saga: Saga) -> bool:
        return saga.subject.startswith("slow")

    async def charge(saga: Saga, report: Report) -> Outcome:
        return await slow(saga, report) if await is_slow(saga) else None

    long_step = Step("charge", charge, ReasonCode.PROCESSING_FAILED, time_limit=None, may_take_long=is_slow)
    steps = [
        Step("reserve", _at_once, ReasonCode.PROCESSING_FAILED),
        long_step,
        Step("ship", _at_once, ReasonCode.PROCESSING_FAILED),
    ]
    async with _running(SagaRunner(database, [Definition(KIND, steps)], poll_seconds=0.05)):
        for number in range(3):
            await begin(database, f"slow {number}", "reserve")

        async def all_reached_the_long_step() -> bool:
            return {"charge"} == {(await row(database, f"slow {number}")).step for number in range(3)}

        await eventually(all_reached_the_long_step)
        for number in range(5):
            await begin(database, f"quick {number}", "reserve" if number % 2 else "ship")

        async def all_quick_succeeded() -> bool:
            return {"succeeded"} == {(await row(database, f"quick {number}")).state for number in range(5)}

        await eventually(all_quick_succeeded)
        assert {"running"} == {(await row(database, f"slow {number}")).state for number in range(3)}
        go_on.set()

        async def all_done() -> bool:
            return {"succeeded"} == {(await row(database, f"slow {number}")).state for number in range(3)}

        await eventually(all_done)
    assert 1 == most


async def test_only_unclaimed_sagas_are_reported_as_stuck(database: Database) -> None:
    now = utc_now()
    for subject, locked_until in (("at work", now + timedelta(seconds=10)), ("dead", now - timedelta(hours=1))):
        await begin(database, subject)
        async with database.transaction() as tx:
            row_of = update(SagaRow).where(SagaRow.subject == subject)
            await tx.session.execute(row_of.values(due_at=now - timedelta(hours=2), locked_until=locked_until))
    async with database.reading() as tx:
        by_state, late = await claims.counts(tx, now, now - timedelta(minutes=5))
    assert ({(KIND, "running"): 2}, {KIND: 1}) == (by_state, late)


async def _at_once(_saga: Saga, _report: Report) -> Outcome:
    return None


@asynccontextmanager
async def _running(runner: SagaRunner) -> AsyncIterator[None]:
    task = asyncio.create_task(runner.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
