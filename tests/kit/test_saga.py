"""Sagas come to an end, and what their steps want in the database happens once."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from metastore.kit import saga, saga_claims
from metastore.kit.clock import utc_now
from metastore.kit.database import Database, Transaction
from metastore.kit.outbox import OutboxEvent
from metastore.kit.reason_codes import ReasonCode
from metastore.kit.saga_claims import Wanted
from metastore.kit.saga_models import Saga, SagaRow, SagaStepRow
from metastore.kit.saga_runner import SagaRunner
from metastore.kit.saga_steps import Definition, Effect, Later, Outcome, Report, Step, StepFailedError
from tests.fixtures.events import KettleBoiled
from tests.fixtures.waiting import eventually

KIND = "tea"


class Kitchen:
    """Makes tea: fill → boil → pour. Notes what was done outside, and records a fact for each effect."""

    def __init__(self, *, pivot: bool = False) -> None:
        self.outside: list[str] = []
        self.troubles: dict[str, list[Exception]] = {}
        self.effect_troubles: dict[str, list[Exception]] = {}
        self.failures: list[str] = []
        self.told: list[tuple[str, str]] = []
        steps = [self.step("fill"), self.step("boil", pivot=pivot), self.step("pour")]
        self.definition = Definition(KIND, steps, self._failed, self._progressed, pauses=(0.0,))

    def step(self, name: str, *, pivot: bool = False) -> Step:
        async def action(_saga: Saga, _report: Report) -> Outcome:
            self.outside.append(name)
            self._fail(self.troubles, name)
            return self._effect(name)

        async def compensation(_saga: Saga) -> Outcome:
            self.outside.append(f"un{name}")
            self._fail(self.troubles, f"un{name}")
            return self._effect(f"un{name}")

        return Step(name, action, ReasonCode.PROCESSING_FAILED, compensation, pivot=pivot)

    def _effect(self, name: str) -> Effect:
        async def effect(tx: Transaction) -> None:
            tx.record(KettleBoiled(kettle=name))
            self._fail(self.effect_troubles, name)

        return effect

    @staticmethod
    def _fail(troubles: dict[str, list[Exception]], name: str) -> None:
        if troubles.get(name):
            raise troubles[name].pop()

    async def _failed(self, tx: Transaction, ended: Saga) -> None:
        self.failures.append(ended.error or "")
        tx.record(KettleBoiled(kettle="failed"))

    async def _progressed(self, seen: Saga) -> None:
        self.told.append((seen.step, seen.state))


async def begin(database: Database, subject: str = "pot", due_at: datetime | None = None) -> None:
    async with database.transaction() as tx:
        saga.start(tx, KIND, subject, done="wish", step="fill", due_at=due_at or utc_now(), data={})


async def row(database: Database, subject: str = "pot") -> Saga:
    async with database.reading() as tx:
        return (await saga.sagas_of(tx, KIND, [subject]))[subject]


async def effects(database: Database) -> list[str]:
    async with database.reading() as tx:
        rows = await tx.session.scalars(select(OutboxEvent).order_by(OutboxEvent.id))
        return [str(event.payload["kettle"]) for event in rows]


async def test_a_saga_goes_from_step_to_step_to_its_end(database: Database) -> None:
    kitchen = Kitchen()
    await begin(database)
    await SagaRunner(database, [kitchen.definition]).run_due()
    assert ["fill", "boil", "pour"] == kitchen.outside == await effects(database)
    ended = await row(database)
    assert ("succeeded", "pour", 100) == (ended.state, ended.step, ended.progress)
    assert ("pour", "succeeded") == kitchen.told[-1]


async def test_a_saga_waits_until_it_is_due(database: Database) -> None:
    await begin(database, due_at=utc_now() + timedelta(hours=1))
    assert 0 == await SagaRunner(database, [Kitchen().definition]).run_due()


async def test_a_step_that_fails_is_tried_again_and_its_effect_happens_once(database: Database) -> None:
    kitchen = Kitchen()
    kitchen.troubles["boil"] = [RuntimeError("no gas")]
    kitchen.effect_troubles["pour"] = [RuntimeError("after the work, before the commit")]
    await begin(database)
    await SagaRunner(database, [kitchen.definition]).run_due()
    assert ["fill", "boil", "boil", "pour", "pour"] == kitchen.outside
    assert ["fill", "boil", "pour"] == await effects(database)


@pytest.mark.parametrize("failing", ["fill", "boil", "pour"])
@pytest.mark.parametrize("late", [False, True])
async def test_a_step_that_keeps_failing_is_taken_back_with_all_before_it(
    database: Database, failing: str, late: bool
) -> None:
    """Whether the work itself fails or what follows it, the end is the same."""
    kitchen = Kitchen()
    (kitchen.effect_troubles if late else kitchen.troubles)[failing] = [RuntimeError("no") for _ in range(3)]
    await begin(database)
    await SagaRunner(database, [kitchen.definition]).run_due()
    done = ["fill", "boil", "pour"][: ["fill", "boil", "pour"].index(failing) + 1]
    taken_back = [f"un{name}" for name in reversed(done)]
    assert [*done[:-1], *taken_back, "failed"] == await effects(database)
    assert 3 == kitchen.outside.count(failing)
    assert ["The file could not be processed."] == kitchen.failures
    ended = await row(database)
    assert ("failed", failing, False) == (ended.state, ended.failed_step, ended.retryable)


async def test_what_is_no_use_is_not_tried_again(database: Database) -> None:
    kitchen = Kitchen()
    kitchen.troubles["boil"] = [StepFailedError(ReasonCode.FILM_UNREADABLE, final=True)]
    await begin(database)
    await SagaRunner(database, [kitchen.definition]).run_due()
    assert ["fill", "boil", "unboil", "unfill"] == kitchen.outside
    assert ["The film is damaged, or its format is not supported."] == kitchen.failures


async def test_a_compensation_that_keeps_failing_is_passed_over(database: Database) -> None:
    kitchen = Kitchen()
    kitchen.troubles = {
        "boil": [StepFailedError(ReasonCode.FILM_UNREADABLE, final=True)],
        "unboil": [RuntimeError("too hot") for _ in range(9)],
    }
    await begin(database)
    await SagaRunner(database, [kitchen.definition]).run_due()
    assert ["fill", "unfill", "failed"] == await effects(database)
    assert "failed" == (await row(database)).state
    async with database.reading() as tx:
        log = list(await tx.session.scalars(select(SagaStepRow.result).order_by(SagaStepRow.id)))
    assert "passed over" in log


async def test_behind_the_pivot_nothing_before_it_is_taken_back_and_the_saga_can_be_tried_again(
    database: Database,
) -> None:
    kitchen = Kitchen(pivot=True)
    kitchen.troubles["pour"] = [RuntimeError("spilt") for _ in range(3)]
    runner = SagaRunner(database, [kitchen.definition])
    await begin(database)
    await runner.run_due()
    assert ["fill", "boil", "unpour", "failed"] == await effects(database)
    assert (await row(database)).retryable

    async with database.transaction() as tx:
        assert await saga.restart(tx, KIND, "pot", step="pour")
        assert not await saga.restart(tx, KIND, "pot", step="pour")
    await runner.run_due()
    assert ["pour"] == (await effects(database))[4:]
    assert "succeeded" == (await row(database)).state


async def test_a_worker_that_was_too_slow_has_no_effect(database: Database) -> None:
    """Another took over; what the first one brings in the end is thrown away."""
    at_work, go_on = asyncio.Event(), asyncio.Event()
    first, second = Kitchen(), Kitchen()

    async def slow(_saga: Saga, _report: Report) -> Outcome:
        at_work.set()
        await go_on.wait()

        async def effect(tx: Transaction) -> None:
            tx.record(KettleBoiled(kettle="too late"))

        return effect

    slow_fill = Step("fill", slow, ReasonCode.PROCESSING_FAILED)
    paused = SagaRunner(database, [Definition(KIND, [slow_fill, *first.definition.steps[1:]])])
    await begin(database)
    working = asyncio.create_task(paused.run_due())
    await at_work.wait()
    later = SagaRunner(database, [second.definition], clock=lambda: utc_now() + timedelta(hours=1))
    assert 1 == await later.run_due()
    go_on.set()
    await working
    assert ["fill", "boil", "pour"] == await effects(database)
    assert [] == first.outside


async def test_a_saga_whose_workers_all_die_fails(database: Database) -> None:
    """A step that kills whoever takes it up is taken up three times, no more."""
    kitchen = Kitchen()
    await begin(database)
    now = utc_now()
    for _ in range(3):
        async with database.transaction() as tx:
            lease = timedelta(seconds=20)
            assert await saga_claims.claim(tx, Wanted([KIND]), now=now, lease=lease, worker="mortal", limit=1)
        now += timedelta(minutes=1)
    await SagaRunner(database, [kitchen.definition], clock=lambda: now).run_due()
    assert ["unfill"] == kitchen.outside
    assert ["The file could not be processed."] == kitchen.failures


async def test_a_saga_cancelled_at_work_is_taken_back_and_the_worker_cleans_up(database: Database) -> None:
    kitchen = Kitchen()

    async def cancelled_meanwhile(_saga: Saga, _report: Report) -> Outcome:
        kitchen.outside.append("boil")
        async with database.transaction() as tx:
            assert await saga.cancel(tx, KIND, "pot", error="no guests")
        return None

    fill, boil, pour = kitchen.definition.steps
    boil = Step("boil", cancelled_meanwhile, ReasonCode.PROCESSING_FAILED, boil.compensation)
    await begin(database)
    await SagaRunner(database, [Definition(KIND, [fill, boil, pour], kitchen._failed)]).run_due()
    assert ["fill", "boil", "unboil", "unboil", "unfill"] == kitchen.outside
    assert ["fill", "unboil", "unfill"] == await effects(database)
    assert "cancelled" == (await row(database)).state
    assert [] == kitchen.failures


async def test_a_step_that_waits_for_somebody_uses_up_no_try(database: Database) -> None:
    async def wait(_saga: Saga, _report: Report) -> Outcome:
        return Later(utc_now() + timedelta(hours=1))

    runner = SagaRunner(database, [Definition(KIND, [Step("fill", wait, ReasonCode.PROCESSING_FAILED)])])
    await begin(database)
    assert 1 == await runner.run_due()
    assert 0 == (await row(database)).attempts


async def test_a_step_that_hangs_is_given_up_in_time(database: Database) -> None:
    async def hang(_saga: Saga, _report: Report) -> Outcome:
        await asyncio.Event().wait()
        return None

    hanging = Step("fill", hang, ReasonCode.PROCESSING_FAILED, time_limit=0.05)
    await begin(database)
    await SagaRunner(database, [Definition(KIND, [hanging], pauses=(0.0,))]).run_due()
    assert ("failed", "The file could not be processed.") == ((await row(database)).state, (await row(database)).error)


async def test_a_runner_that_is_stopped_gives_back_what_it_holds(database: Database) -> None:
    at_work = asyncio.Event()

    async def hang(_saga: Saga, _report: Report) -> Outcome:
        at_work.set()
        await asyncio.Event().wait()
        return None

    await begin(database)
    stopped = asyncio.create_task(
        SagaRunner(database, [Definition(KIND, [Step("fill", hang, ReasonCode.PROCESSING_FAILED)])]).run()
    )
    await at_work.wait()
    stopped.cancel()
    await asyncio.gather(stopped, return_exceptions=True)
    assert 0 == (await row(database)).attempts
    kitchen = Kitchen()
    await SagaRunner(database, [kitchen.definition]).run_due()
    assert "succeeded" == (await row(database)).state


async def test_twenty_sagas_raced_by_four_workers_take_each_step_once(database: Database) -> None:
    kitchen = Kitchen()
    subjects = [f"pot {number}" for number in range(20)]
    for subject in subjects:
        await begin(database, subject)
    workers = [asyncio.create_task(SagaRunner(database, [kitchen.definition]).run()) for _ in range(4)]

    async def all_ended() -> bool:
        async with database.reading() as tx:
            states = await tx.session.scalars(select(SagaRow.state))
            return set(states) == {"succeeded"}

    await eventually(all_ended, interval=0.1)
    for worker in workers:
        worker.cancel()
    await asyncio.gather(*workers, return_exceptions=True)
    assert Counter({"fill": 20, "boil": 20, "pour": 20}) == Counter(await effects(database))
    async with database.reading() as tx:
        log = await tx.session.execute(select(SagaStepRow.saga_id, SagaStepRow.step))
        assert {1} == set(Counter(map(tuple, log.all())).values())


async def test_of_a_request_and_a_runner_one_moves_the_saga_on(database: Database) -> None:
    """A request that did the step itself is told so, once; whoever comes after it is told otherwise."""
    await begin(database)
    async with database.transaction() as tx:
        assert await saga.advance(tx, KIND, "pot", step="fill", to="boil")
        assert not await saga.finish(tx, KIND, "pot", step="fill", last="pour")
    assert ("running", "boil") == ((await row(database)).state, (await row(database)).step)
