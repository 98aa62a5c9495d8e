"""A saga runner sleeps until there is something to do, and a lost signal delays nothing for long."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from metastore.kit.clock import utc_now
from metastore.kit.database.unit_of_work import Database, Transaction
from metastore.kit.ids import new_id
from metastore.kit.problems.reason_codes import ReasonCode
from metastore.kit.saga import claims, sagas
from metastore.kit.saga.claims import ClaimFilter
from metastore.kit.saga.definition import Definition, Effect, Outcome, Report, Step
from metastore.kit.saga.models import Saga, SagaRow
from metastore.kit.saga.runner import SagaRunner
from metastore.kit.saga.wake_ups import SagaAnnouncer
from tests.fixtures.statement_counter import StatementCounter, counting_statements
from tests.fixtures.waiting import eventually

KIND = "parcel"
NEVER = 3600.0
"""Seconds between polls that no test waits for."""
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


class Courier:
    """Delivers parcels in one step, after ``failures`` failed attempts."""

    def __init__(self, *, failures: int = 0, back_off: float = 0.0) -> None:
        self.delivered: list[str] = []
        self._failures = failures
        step = Step("deliver", self._deliver, ReasonCode.PROCESSING_FAILED)
        self.definition = Definition(KIND, [step], backoff=(back_off,))

    async def _deliver(self, saga: Saga, _report: Report) -> Outcome:
        if self._failures:
            self._failures -= 1
            raise RuntimeError("nobody at home")
        return self._effect(saga)

    def _effect(self, saga: Saga) -> Effect:
        async def effect(_tx: Transaction) -> None:
            self.delivered.append(saga.subject)

        return effect


@asynccontextmanager
async def running(runner: SagaRunner) -> AsyncIterator[None]:
    """Run a runner within the block."""
    task = asyncio.create_task(runner.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class Looks:
    """How often a runner has asked for the next due time."""

    def __init__(self, statements: StatementCounter) -> None:
        self._statements = statements

    @property
    def count(self) -> int:
        """The number so far."""
        return sum("min(" in each and "FROM sagas" in each for each in self._statements.executed)


@pytest.fixture
def looks() -> Iterator[Looks]:
    """Count what is asked on connections that the test opens."""
    with counting_statements() as statements:
        yield Looks(statements)


@pytest.fixture
async def database(looks: Looks, database_url: str) -> AsyncIterator[Database]:
    """A database whose statements are counted."""
    database = Database(database_url)
    yield database
    await database.aclose()


async def send(database: Database, subject: str, *, seconds: float = 0.0) -> None:
    """Start a saga that is due in ``seconds``."""
    due_at = utc_now() + timedelta(seconds=seconds)
    async with database.transaction() as tx:
        sagas.start(tx, KIND, subject, done="pack", step="deliver", due_at=due_at, data={})


def another(database: Database) -> Database:
    """Open the same database as another process does."""
    return Database(database.url.render_as_string(hide_password=False))


async def test_a_commit_wakes_the_runner(database: Database, looks: Looks) -> None:
    courier = Courier()
    async with running(SagaRunner(database, [courier.definition], poll_seconds=NEVER)):
        await eventually(lambda: looks.count, why="the runner looks when it starts")
        await send(database, "book")
        await eventually(lambda: courier.delivered == ["book"])
        await send(database, "lamp")
        await eventually(lambda: courier.delivered == ["book", "lamp"])


async def test_the_runner_wakes_when_a_saga_becomes_due(database: Database) -> None:
    """Whether it becomes due later than another, or earlier than what the runner is waiting for."""
    courier = Courier()
    async with running(SagaRunner(database, [courier.definition], poll_seconds=NEVER)):
        await send(database, "slow", seconds=1.5)
        await send(database, "quick", seconds=0.5)
        await eventually(lambda: courier.delivered == ["quick", "slow"], timeout=20)


async def test_a_postponed_saga_runs_at_its_new_time(database: Database) -> None:
    courier = Courier()
    await send(database, "book", seconds=NEVER)
    async with running(SagaRunner(database, [courier.definition], poll_seconds=NEVER)):
        async with database.transaction() as tx:
            assert await sagas.postpone(tx, KIND, "book", step="deliver", due_at=utc_now() + timedelta(seconds=0.2))
        await eventually(lambda: courier.delivered == ["book"], timeout=20)


async def test_a_failed_step_is_retried_after_its_back_off(database: Database) -> None:
    courier = Courier(failures=2, back_off=0.3)
    async with running(SagaRunner(database, [courier.definition], poll_seconds=NEVER)):
        await send(database, "book")
        await eventually(lambda: courier.delivered == ["book"], timeout=20)


@on_postgresql
async def test_the_end_of_a_dead_workers_lease_wakes_the_runner(database: Database) -> None:
    """On SQLite there is no other worker."""
    await send(database, "book")
    lease = timedelta(seconds=1)
    async with database.transaction() as tx:
        assert await claims.claim(tx, ClaimFilter((KIND,)), now=utc_now(), lease=lease, worker="dead", limit=1)
    courier = Courier()
    async with running(SagaRunner(database, [courier.definition], poll_seconds=NEVER)):
        await eventually(lambda: courier.delivered == ["book"], timeout=20)


async def test_without_a_signal_a_saga_is_found_by_polling(database: Database) -> None:
    """As when a signal is lost, or another process changes a SQLite database."""
    courier, silent = Courier(), another(database)
    async with running(SagaRunner(database, [courier.definition], poll_seconds=0.1)):
        await send(silent, "book")
        await eventually(lambda: courier.delivered == ["book"])
    await silent.aclose()


@on_postgresql
async def test_a_commit_in_another_process_wakes_the_runner(database: Database) -> None:
    """Also after the runner's connection was cut, for what was committed meanwhile."""
    courier, other = Courier(), another(database)
    SagaAnnouncer(other)
    async with running(SagaRunner(database, [courier.definition], poll_seconds=NEVER)):
        await eventually(lambda: _listeners(other))
        await send(other, "book")
        await eventually(lambda: courier.delivered == ["book"])
        async with other.transaction() as tx:
            await tx.session.execute(text(f"SELECT pg_terminate_backend(pid) {_LISTENERS}"))
        await send(other, "lamp")
        await eventually(lambda: courier.delivered == ["book", "lamp"])
    await other.aclose()


@on_postgresql
async def test_a_saga_that_was_locked_when_it_became_due_is_claimed_soon(database: Database, looks: Looks) -> None:
    """A transaction that locks its row and rolls back gives no signal."""
    courier, other = Courier(), another(database)
    async with running(SagaRunner(database, [courier.definition], poll_seconds=NEVER)):
        async with other.reading() as tx:
            await send(other, "book")
            await tx.session.execute(select(SagaRow.id).with_for_update())
            before = looks.count
            await send(database, new_id())
            await eventually(lambda: looks.count >= before + 3, why="the runner finds it, and cannot claim it")
            assert "book" not in courier.delivered
        await eventually(lambda: "book" in courier.delivered, timeout=20)
    await other.aclose()


async def test_the_runner_asks_nothing_while_nothing_is_due(database: Database, looks: Looks) -> None:
    """Neither do commits wake it that have nothing to do with sagas, or start some that are due much later."""
    courier = Courier()
    async with running(SagaRunner(database, [courier.definition])):
        await send(database, "book")
        await eventually(lambda: courier.delivered == ["book"])
        await eventually(lambda: _ended(database, "book"))
        before = await eventually(lambda: looks.count)
        await send(database, "lamp", seconds=NEVER)
        async with database.transaction() as tx:
            await sagas.postpone(tx, KIND, "lamp", step="deliver", due_at=utc_now() + timedelta(days=1))
        quiet_until = time.monotonic() + 2.5
        await eventually(lambda: time.monotonic() > quiet_until)
        # The end of the first saga may make it look once more.
        assert looks.count <= before + 1


async def _ended(database: Database, subject: str) -> bool:
    async with database.reading() as tx:
        return (await sagas.sagas_of(tx, KIND, [subject]))[subject].state == "succeeded"


_LISTENERS = "FROM pg_stat_activity WHERE datname = current_database() AND query ILIKE 'LISTEN%'"


async def _listeners(database: Database) -> int:
    async with database.reading() as tx:
        return int(await tx.session.scalar(text(f"SELECT count(*) {_LISTENERS}")) or 0)
