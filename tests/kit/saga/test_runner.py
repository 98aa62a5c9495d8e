"""Sagas reach an end state, and the effects of their steps happen once."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from metastore.kit.clock import utc_now
from metastore.kit.database.unit_of_work import Database, Transaction
from metastore.kit.events.outbox import OutboxEvent
from metastore.kit.problems.reason_codes import ReasonCode
from metastore.kit.saga import claims, sagas
from metastore.kit.saga.claims import ClaimFilter
from metastore.kit.saga.definition import Definition, Effect, Later, Outcome, Report, Step, StepFailedError
from metastore.kit.saga.models import Saga, SagaRow, SagaStepRow
from metastore.kit.saga.runner import SagaRunner
from tests.fixtures.events import SampleRecorded
from tests.fixtures.waiting import eventually

KIND = "order"


class OrderSaga:
    """An order: reserve → charge → ship. Logs the calls outside the database and records an event for each effect."""

    def __init__(self, *, pivot: bool = False) -> None:
        self.calls: list[str] = []
        self.errors: dict[str, list[Exception]] = {}
        self.effect_errors: dict[str, list[Exception]] = {}
        self.failures: list[str] = []
        self.notified: list[tuple[str, str]] = []
        steps = [self.step("reserve"), self.step("charge", pivot=pivot), self.step("ship")]
        self.definition = Definition(KIND, steps, self._failed, self._progressed, backoff=(0.0,))

    def step(self, name: str, *, pivot: bool = False) -> Step:
        async def action(_saga: Saga, _report: Report) -> Outcome:
            self.calls.append(name)
            self._fail(self.errors, name)
            return self._effect(name)

        async def compensation(_saga: Saga) -> Outcome:
            self.calls.append(f"un{name}")
            self._fail(self.errors, f"un{name}")
            return self._effect(f"un{name}")

        return Step(name, action, ReasonCode.PROCESSING_FAILED, compensation, pivot=pivot)

    def _effect(self, name: str) -> Effect:
        async def effect(tx: Transaction) -> None:
            tx.record(SampleRecorded(sample=name))
            self._fail(self.effect_errors, name)

        return effect

    @staticmethod
    def _fail(errors: dict[str, list[Exception]], name: str) -> None:
        if errors.get(name):
            raise errors[name].pop()

    async def _failed(self, tx: Transaction, saga: Saga) -> None:
        self.failures.append(saga.error or "")
        tx.record(SampleRecorded(sample="failed"))

    async def _progressed(self, saga: Saga) -> None:
        self.notified.append((saga.step, saga.state))


async def begin(database: Database, subject: str = "order-1", due_at: datetime | None = None) -> None:
    async with database.transaction() as tx:
        sagas.start(tx, KIND, subject, done="place", step="reserve", due_at=due_at or utc_now(), data={})


async def row(database: Database, subject: str = "order-1") -> Saga:
    async with database.reading() as tx:
        return (await sagas.sagas_of(tx, KIND, [subject]))[subject]


async def effects(database: Database) -> list[str]:
    async with database.reading() as tx:
        rows = await tx.session.scalars(select(OutboxEvent).order_by(OutboxEvent.id))
        return [str(event.payload["sample"]) for event in rows]


async def test_a_saga_runs_all_its_steps(database: Database) -> None:
    order = OrderSaga()
    await begin(database)
    await SagaRunner(database, [order.definition]).run_due()
    assert ["reserve", "charge", "ship"] == order.calls == await effects(database)
    ended = await row(database)
    assert ("succeeded", "ship", 100) == (ended.state, ended.step, ended.progress)
    assert ("ship", "succeeded") == order.notified[-1]


async def test_a_saga_waits_until_it_is_due(database: Database) -> None:
    await begin(database, due_at=utc_now() + timedelta(hours=1))
    assert 0 == await SagaRunner(database, [OrderSaga().definition]).run_due()


async def test_a_failed_step_is_retried_and_takes_effect_once(database: Database) -> None:
    order = OrderSaga()
    order.errors["charge"] = [RuntimeError("declined")]
    order.effect_errors["ship"] = [RuntimeError("after the work, before the commit")]
    await begin(database)
    await SagaRunner(database, [order.definition]).run_due()
    assert ["reserve", "charge", "charge", "ship", "ship"] == order.calls
    assert ["reserve", "charge", "ship"] == await effects(database)


@pytest.mark.parametrize("failing", ["reserve", "charge", "ship"])
@pytest.mark.parametrize("late", [False, True])
async def test_a_step_that_keeps_failing_is_compensated_with_all_before_it(
    database: Database, failing: str, late: bool
) -> None:
    """Whether the action fails or the effect after it."""
    order = OrderSaga()
    (order.effect_errors if late else order.errors)[failing] = [RuntimeError("no") for _ in range(3)]
    await begin(database)
    await SagaRunner(database, [order.definition]).run_due()
    done = ["reserve", "charge", "ship"][: ["reserve", "charge", "ship"].index(failing) + 1]
    compensated = [f"un{name}" for name in reversed(done)]
    assert [*done[:-1], *compensated, "failed"] == await effects(database)
    assert 3 == order.calls.count(failing)
    assert [ReasonCode.PROCESSING_FAILED.sentence] == order.failures
    ended = await row(database)
    assert ("failed", failing, False) == (ended.state, ended.failed_step, ended.retryable)


async def test_a_final_failure_is_not_retried(database: Database) -> None:
    order = OrderSaga()
    order.errors["charge"] = [StepFailedError(ReasonCode.FILM_UNREADABLE, final=True)]
    await begin(database)
    await SagaRunner(database, [order.definition]).run_due()
    assert ["reserve", "charge", "uncharge", "unreserve"] == order.calls
    assert [ReasonCode.FILM_UNREADABLE.sentence] == order.failures


async def test_a_compensation_that_keeps_failing_is_skipped(database: Database) -> None:
    order = OrderSaga()
    order.errors = {
        "charge": [StepFailedError(ReasonCode.FILM_UNREADABLE, final=True)],
        "uncharge": [RuntimeError("failed") for _ in range(9)],
    }
    await begin(database)
    await SagaRunner(database, [order.definition]).run_due()
    assert ["reserve", "unreserve", "failed"] == await effects(database)
    assert "failed" == (await row(database)).state
    async with database.reading() as tx:
        log = list(await tx.session.scalars(select(SagaStepRow.result).order_by(SagaStepRow.id)))
    assert "skipped" in log


async def test_compensation_stops_at_the_pivot_and_the_saga_can_be_restarted(database: Database) -> None:
    order = OrderSaga(pivot=True)
    order.errors["ship"] = [RuntimeError("failed") for _ in range(3)]
    runner = SagaRunner(database, [order.definition])
    await begin(database)
    await runner.run_due()
    assert ["reserve", "charge", "unship", "failed"] == await effects(database)
    assert (await row(database)).retryable

    async with database.transaction() as tx:
        assert await sagas.restart(tx, KIND, "order-1", step="ship")
        assert not await sagas.restart(tx, KIND, "order-1", step="ship")
    await runner.run_due()
    assert ["ship"] == (await effects(database))[4:]
    assert "succeeded" == (await row(database)).state


async def test_a_worker_that_has_lost_its_lease_has_no_effect(database: Database) -> None:
    """Another worker has taken over. The transaction of the first one rolls back."""
    at_work, go_on = asyncio.Event(), asyncio.Event()
    first, second = OrderSaga(), OrderSaga()

    async def slow(_saga: Saga, _report: Report) -> Outcome:
        at_work.set()
        await go_on.wait()

        async def effect(tx: Transaction) -> None:
            tx.record(SampleRecorded(sample="too late"))

        return effect

    slow_reserve = Step("reserve", slow, ReasonCode.PROCESSING_FAILED)
    paused = SagaRunner(database, [Definition(KIND, [slow_reserve, *first.definition.steps[1:]])])
    await begin(database)
    working = asyncio.create_task(paused.run_due())
    await at_work.wait()
    later = SagaRunner(database, [second.definition], clock=lambda: utc_now() + timedelta(hours=1))
    assert 1 == await later.run_due()
    go_on.set()
    await working
    assert ["reserve", "charge", "ship"] == await effects(database)
    assert [] == first.calls


async def test_a_saga_whose_workers_all_crash_fails(database: Database) -> None:
    """A step that crashes its worker is claimed three times at most."""
    order = OrderSaga()
    await begin(database)
    now = utc_now()
    for _ in range(3):
        async with database.transaction() as tx:
            lease = timedelta(seconds=20)
            assert await claims.claim(tx, ClaimFilter((KIND,)), now=now, lease=lease, worker="crashing", limit=1)
        now += timedelta(minutes=1)
    await SagaRunner(database, [order.definition], clock=lambda: now).run_due()
    assert ["unreserve"] == order.calls
    assert [ReasonCode.PROCESSING_FAILED.sentence] == order.failures


async def test_a_runner_does_not_claim_what_it_executes_when_the_lease_has_expired(database: Database) -> None:
    """As after an outage in which it could not renew the lease. Another runner may claim it."""
    started, go_on = asyncio.Event(), asyncio.Event()
    ahead = timedelta()

    async def wait(_saga: Saga, _report: Report) -> Outcome:
        started.set()
        await go_on.wait()
        return None

    async def other_has_claimed() -> bool:
        return (await row(database)).attempts == 2

    definition = Definition(KIND, [Step("reserve", wait, ReasonCode.PROCESSING_FAILED)])
    runner, other = (SagaRunner(database, [definition], clock=lambda: utc_now() + ahead) for _ in range(2))
    await begin(database)
    executing = asyncio.create_task(runner.run_due())
    await started.wait()
    ahead = timedelta(minutes=1)
    assert 0 == await runner.run_due()
    taking_over = asyncio.create_task(other.run_due())
    await eventually(other_has_claimed)
    go_on.set()
    assert [1, 1] == list(await asyncio.gather(executing, taking_over))


async def test_a_saga_cancelled_while_it_runs_is_compensated(database: Database) -> None:
    order = OrderSaga()

    async def cancelled_meanwhile(_saga: Saga, _report: Report) -> Outcome:
        order.calls.append("charge")
        async with database.transaction() as tx:
            assert await sagas.cancel(tx, KIND, "order-1", error="cancelled")
        return None

    reserve, charge, ship = order.definition.steps
    charge = Step("charge", cancelled_meanwhile, ReasonCode.PROCESSING_FAILED, charge.compensation)
    await begin(database)
    await SagaRunner(database, [Definition(KIND, [reserve, charge, ship], order._failed)]).run_due()
    assert ["reserve", "charge", "uncharge", "uncharge", "unreserve"] == order.calls
    assert ["reserve", "uncharge", "unreserve"] == await effects(database)
    assert "cancelled" == (await row(database)).state
    assert [] == order.failures


async def test_waiting_does_not_count_as_an_attempt(database: Database) -> None:
    async def wait(_saga: Saga, _report: Report) -> Outcome:
        return Later(utc_now() + timedelta(hours=1))

    runner = SagaRunner(database, [Definition(KIND, [Step("reserve", wait, ReasonCode.PROCESSING_FAILED)])])
    await begin(database)
    assert 1 == await runner.run_due()
    assert 0 == (await row(database)).attempts


async def test_a_step_that_hangs_fails_at_its_time_limit(database: Database) -> None:
    async def hang(_saga: Saga, _report: Report) -> Outcome:
        await asyncio.Event().wait()
        return None

    hanging = Step("reserve", hang, ReasonCode.PROCESSING_FAILED, time_limit=0.05)
    await begin(database)
    await SagaRunner(database, [Definition(KIND, [hanging], backoff=(0.0,))]).run_due()
    assert ("failed", ReasonCode.PROCESSING_FAILED.sentence) == (
        (await row(database)).state,
        (await row(database)).error,
    )


async def test_a_stopped_runner_releases_its_sagas(database: Database) -> None:
    at_work = asyncio.Event()

    async def hang(_saga: Saga, _report: Report) -> Outcome:
        at_work.set()
        await asyncio.Event().wait()
        return None

    await begin(database)
    stopped = asyncio.create_task(
        SagaRunner(database, [Definition(KIND, [Step("reserve", hang, ReasonCode.PROCESSING_FAILED)])]).run()
    )
    await at_work.wait()
    stopped.cancel()
    await asyncio.gather(stopped, return_exceptions=True)
    assert 0 == (await row(database)).attempts
    order = OrderSaga()
    await SagaRunner(database, [order.definition]).run_due()
    assert "succeeded" == (await row(database)).state


async def test_racing_workers_execute_each_step_once(database: Database) -> None:
    order = OrderSaga()
    subjects = [f"order-{number}" for number in range(20)]
    for subject in subjects:
        await begin(database, subject)
    workers = [asyncio.create_task(SagaRunner(database, [order.definition]).run()) for _ in range(4)]

    async def all_ended() -> bool:
        async with database.reading() as tx:
            states = await tx.session.scalars(select(SagaRow.state))
            return set(states) == {"succeeded"}

    await eventually(all_ended, interval=0.1)
    for worker in workers:
        worker.cancel()
    await asyncio.gather(*workers, return_exceptions=True)
    assert Counter({"reserve": 20, "charge": 20, "ship": 20}) == Counter(await effects(database))
    async with database.reading() as tx:
        log = await tx.session.execute(select(SagaStepRow.saga_id, SagaStepRow.step))
        assert {1} == set(Counter(map(tuple, log.all())).values())


async def test_either_a_request_or_a_runner_advances_the_saga(database: Database) -> None:
    """Only the first of them succeeds."""
    await begin(database)
    async with database.transaction() as tx:
        assert await sagas.advance(tx, KIND, "order-1", step="reserve", to="charge")
        assert not await sagas.finish(tx, KIND, "order-1", step="reserve", last="ship")
    assert ("running", "charge") == ((await row(database)).state, (await row(database)).step)
