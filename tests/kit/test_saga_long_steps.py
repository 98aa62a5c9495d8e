"""Steps that go on for long: what they keep on the way, how often they are tried, and who waits for whom."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from metastore.kit import saga, saga_claims
from metastore.kit.clock import utc_now
from metastore.kit.database import Database
from metastore.kit.outbox import OutboxEvent
from metastore.kit.reason_codes import ReasonCode
from metastore.kit.saga_claims import LeaseLostError
from metastore.kit.saga_models import Saga, SagaRow
from metastore.kit.saga_runner import SagaRunner
from metastore.kit.saga_steps import Action, Definition, Outcome, Report, Step
from tests.fixtures.events import KettleBoiled
from tests.fixtures.waiting import eventually

KIND = "tea"


async def begin(database: Database, subject: str = "pot", step: str = "boil") -> None:
    async with database.transaction() as tx:
        saga.start(tx, KIND, subject, done="begin", step=step, due_at=utc_now(), data={})


async def row(database: Database, subject: str = "pot") -> SagaRow:
    async with database.reading() as tx:
        return (await tx.session.scalars(select(SagaRow).where(SagaRow.subject == subject))).one()


async def boiled(database: Database) -> int:
    async with database.reading() as tx:
        return await tx.session.scalar(select(func.count()).select_from(OutboxEvent)) or 0


def boiling(action: Action) -> Definition:
    return Definition(KIND, [Step("boil", action, ReasonCode.PROCESSING_FAILED, time_limit=None)], pauses=(0.0,))


async def test_a_step_that_comes_further_each_time_is_tried_as_often_as_it_takes(database: Database) -> None:
    """An hour of deploys, and the film is made all the same."""
    seen: list[int] = []

    async def interrupted(now: Saga, report: Report) -> Outcome:
        seen.append(now.progress)
        if now.progress < 90:
            async with report.transaction(percent=now.progress + 10):
                pass
            raise RuntimeError("stopped by a deploy")
        return None

    await begin(database)
    await SagaRunner(database, [boiling(interrupted)]).run_due()
    assert (list(range(0, 100, 10)), "succeeded") == (seen, (await row(database)).state)


@pytest.mark.parametrize("reached", [0, 40])
async def test_a_step_that_fails_at_the_same_place_is_given_up(database: Database, reached: int) -> None:
    tries = 0

    async def dies(_saga: Saga, report: Report) -> Outcome:
        nonlocal tries
        tries += 1
        await report(reached)
        raise RuntimeError("dead")

    await begin(database)
    await SagaRunner(database, [boiling(dies)]).run_due()
    assert (3, "failed") == (tries, (await row(database)).state)


async def test_progress_that_no_percent_shows_counts_as_well(database: Database) -> None:
    tries = 0

    async def slow(_saga: Saga, report: Report) -> Outcome:
        nonlocal tries
        tries += 1
        if tries < 8:
            async with report.transaction(further=True):
                pass
            raise RuntimeError("stopped")
        return None

    await begin(database)
    await SagaRunner(database, [boiling(slow)]).run_due()
    assert (8, "succeeded") == (tries, (await row(database)).state)


async def test_a_runner_that_is_stopped_after_progress_uses_up_no_try(database: Database) -> None:
    at_work = asyncio.Event()

    async def hang(_saga: Saga, report: Report) -> Outcome:
        async with report.transaction(percent=5):
            pass
        at_work.set()
        await asyncio.Event().wait()
        return None

    await begin(database)
    stopped = asyncio.create_task(SagaRunner(database, [boiling(hang)]).run())
    await at_work.wait()
    stopped.cancel()
    await asyncio.gather(stopped, return_exceptions=True)
    assert (0, 5) == ((await row(database)).attempts, (await row(database)).progress)


async def test_what_a_step_writes_on_the_way_is_kept_when_it_fails(database: Database) -> None:
    async def fails(_saga: Saga, report: Report) -> Outcome:
        async with report.transaction() as tx:
            tx.record(KettleBoiled(kettle="a first cup"))
        raise RuntimeError("spilt")

    await begin(database)
    await SagaRunner(database, [boiling(fails)]).run_due()
    assert 3 == await boiled(database)


async def test_a_worker_that_has_lost_the_saga_writes_nothing_on_the_way(database: Database) -> None:
    lost: list[bool] = []

    async def overtaken(_saga: Saga, report: Report) -> Outcome:
        later = SagaRunner(database, [boiling(_at_once)], clock=lambda: utc_now() + timedelta(hours=1))
        assert 1 == await later.run_due()
        try:
            async with report.transaction() as tx:
                tx.record(KettleBoiled(kettle="too late"))
        except LeaseLostError:
            lost.append(True)
            raise
        return None

    await begin(database)
    await SagaRunner(database, [boiling(overtaken)]).run_due()
    assert ([True], 0, "succeeded") == (lost, await boiled(database), (await row(database)).state)


async def test_short_steps_do_not_wait_for_long_ones(database: Database) -> None:
    """Three kettles are slow: one is on the stove, two wait; tea with hot water is served meanwhile, or with cold."""
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

    async def boil(saga: Saga, report: Report) -> Outcome:
        return await slow(saga, report) if await is_slow(saga) else None

    boiling_step = Step("boil", boil, ReasonCode.PROCESSING_FAILED, time_limit=None, may_take_long=is_slow)
    steps = [
        Step("fill", _at_once, ReasonCode.PROCESSING_FAILED),
        boiling_step,
        Step("pour", _at_once, ReasonCode.PROCESSING_FAILED),
    ]
    async with _running(SagaRunner(database, [Definition(KIND, steps)], poll_seconds=0.05)):
        for number in range(3):
            await begin(database, f"slow {number}", "fill")

        async def all_filled() -> bool:
            return {"boil"} == {(await row(database, f"slow {number}")).step for number in range(3)}

        await eventually(all_filled)
        for number in range(5):
            await begin(database, f"quick {number}", "fill" if number % 2 else "pour")

        async def all_poured() -> bool:
            return {"succeeded"} == {(await row(database, f"quick {number}")).state for number in range(5)}

        await eventually(all_poured)
        assert {"running"} == {(await row(database, f"slow {number}")).state for number in range(3)}
        go_on.set()

        async def all_done() -> bool:
            return {"succeeded"} == {(await row(database, f"slow {number}")).state for number in range(3)}

        await eventually(all_done)
    assert 1 == most


async def test_a_step_that_goes_on_for_hours_is_not_late_and_one_that_waits_for_hours_is(database: Database) -> None:
    now = utc_now()
    for subject, locked_until in (("at work", now + timedelta(seconds=10)), ("dead", now - timedelta(hours=1))):
        await begin(database, subject)
        async with database.transaction() as tx:
            row_of = update(SagaRow).where(SagaRow.subject == subject)
            await tx.session.execute(row_of.values(due_at=now - timedelta(hours=2), locked_until=locked_until))
    async with database.reading() as tx:
        by_state, late = await saga_claims.counts(tx, now, now - timedelta(minutes=5))
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
