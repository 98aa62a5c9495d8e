"""The runner of sagas: claims what is due and carries it on. ``saga`` tells the protocol.

A saga stays in the hands of the runner that claimed it until it waits, ends, or is lost. A runner that is told to stop
gives back what it holds, so that others, or its next life, need not wait for the lease to run out.

Long steps have a lane of their own: a saga that comes to one is given back, to be claimed for that lane, by whomever,
when its owner's turn has come.
"""

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from metastore.kit import saga_claims, saga_metrics
from metastore.kit.clock import Clock, utc_now
from metastore.kit.database import Database
from metastore.kit.ids import new_id
from metastore.kit.problem import Problem
from metastore.kit.saga_claims import LeaseLostError, Wanted
from metastore.kit.saga_lease import Lease
from metastore.kit.saga_models import (
    CANCELLED,
    COMPENSATED,
    COMPENSATING,
    DONE,
    FAILED,
    PASSED_OVER,
    RUNNING,
    SUCCEEDED,
    Saga,
    SagaRow,
)
from metastore.kit.saga_report import Reporter
from metastore.kit.saga_steps import (
    Definition,
    Effect,
    Later,
    Outcome,
    StepFailedError,
    is_database_away,
)

_log = structlog.get_logger(__name__)

POLL_SECONDS = 1.0
CONCURRENCY = 2
LONG_AT_ONCE = 1
KEEP_ENDED = timedelta(days=1)
PRUNE_EVERY = 600.0
PRUNE_BATCH = 1000
GIVE_BACK_WITHIN = 2.0
RETRY_UNKNOWN_AFTER = 30.0


class SagaRunner:
    """Runs sagas of these definitions, ``concurrency`` at once, and besides ``LONG_AT_ONCE`` in a long step."""

    def __init__(
        self,
        database: Database,
        definitions: Sequence[Definition],
        *,
        clock: Clock = utc_now,
        concurrency: int = CONCURRENCY,
        poll_seconds: float = POLL_SECONDS,
        woken: asyncio.Event | None = None,
    ) -> None:
        self._database = database
        self._definitions = {definition.kind: definition for definition in definitions}
        long_steps = [(d.kind, step.name) for d in definitions for step in d.steps if step.may_take_long]
        self._all = Wanted(self._definitions, ())
        self._short = Wanted(self._definitions, long_steps)
        self._long = Wanted(self._definitions, long_steps, only_steps=True)
        self._in_long_steps: set[str] = set()
        self._giving_back = 0
        """How many are to be given back as soon as the database is there."""
        self._clock = clock
        self._concurrency = concurrency
        self._poll_seconds = poll_seconds
        lease = timedelta(seconds=max((d.lease for d in definitions), default=1.0))
        self._lease = Lease(database, lease, clock)
        self._woken = woken or asyncio.Event()
        self._pruned_at = time.monotonic()
        self.name = f"{socket.gethostname()}:{os.getpid()}:{new_id()[-6:]}"

    def wake(self) -> None:
        """Look for due sagas now."""
        self._woken.set()

    async def run(self) -> None:
        """Carry sagas on until cancelled."""
        work: set[asyncio.Task[None]] = set()
        freed = not self._database.single_writer
        try:
            while True:
                self._woken.clear()
                try:
                    freed = freed or await self._unlock()
                    for saga in await self._claim_for_lanes(len(work)):
                        work.add(asyncio.create_task(self._carry(saga), name=f"{saga.kind} {saga.subject}"))
                    await self._measure_and_prune()
                except Exception as error:  # noqa: BLE001  the database may be away for a while
                    _log.warning("sagas cannot be looked up", error=repr(error))
                work = await self._until_something_happens(work)
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)

    async def run_due(self) -> int:
        """Carry on what is due now, one after the other, until nothing is; how many claims that took."""
        claims = 0
        while claimed := await self._claim(self._all, 1):
            claims += 1
            await self._carry(claimed[0], has_lanes=False)
        return claims

    async def _until_something_happens(self, work: "set[asyncio.Task[None]]") -> "set[asyncio.Task[None]]":
        woken = asyncio.create_task(self._woken.wait())
        try:
            await asyncio.wait({woken, *work}, timeout=self._poll_seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            woken.cancel()
        return {task for task in work if not task.done()}

    async def _unlock(self) -> bool:
        async with self._database.transaction() as tx:
            await saga_claims.unlock_all(tx, self._definitions)
        return True

    async def _claim_for_lanes(self, at_work: int) -> list[Saga]:
        long = len(self._in_long_steps)
        claimed = await self._claim(self._short, self._concurrency - at_work + long)
        if self._long.steps and long < LONG_AT_ONCE:
            for_long = await self._claim(self._long, LONG_AT_ONCE - long)
            self._in_long_steps |= {saga.id for saga in for_long}
            claimed += for_long
        return claimed

    async def _claim(self, wanted: Wanted, limit: int) -> list[Saga]:
        # What is to be given back first would be claimed, and counted as a try, where its lease has run out.
        if limit <= 0 or self._giving_back:
            return []
        now = self._clock()
        if self._database.single_writer:
            async with self._database.reading() as tx:
                if not await saga_claims.is_any_due(tx, wanted, now):
                    return []
        async with self._database.transaction() as tx:
            return await saga_claims.claim(tx, wanted, now=now, lease=self._lease.length, worker=self.name, limit=limit)

    async def _carry(self, saga: Saga, *, has_lanes: bool = True) -> None:
        """Take a claimed saga as far as it goes. Raises nothing but cancellation."""
        held: Saga | None = saga
        while held is not None:
            current, held = held, None
            definition = self._definitions[current.kind]
            try:
                if has_lanes and await self._is_of_the_other_lane(definition, current):
                    await self._release(current, self._clock(), counted=False)
                    return
                with saga_metrics.timed(current):
                    go = self._forward if current.state == RUNNING else self._backward
                    held = await go(definition, current)
            except asyncio.CancelledError:
                await self._give_back(current)
                raise
            except LeaseLostError:
                _log.info("a saga was taken over or cancelled", **_named(current))
                await self._clean_up(definition, current)
            except LookupError as error:
                _log.warning("a saga of other code", error=str(error), **_named(current))
                await self._release(current, self._in(RETRY_UNKNOWN_AFTER), counted=False)
            except Exception:  # noqa: BLE001  the lease runs out, and the saga is claimed again
                _log.exception("a saga could not be carried on", **_named(current))
            finally:
                self._in_long_steps.discard(current.id)

    async def _is_of_the_other_lane(self, definition: Definition, saga: Saga) -> bool:
        """Whether its step will take long, and it was not claimed for that."""
        takes_long = definition.step(saga.step).may_take_long if saga.state == RUNNING else None
        return takes_long is not None and saga.id not in self._in_long_steps and await takes_long(saga)

    async def _forward(self, definition: Definition, saga: Saga) -> Saga | None:
        step = definition.step(saga.step)
        report = Reporter(self._database, saga, lambda further: self._tell(definition, further))
        if saga.attempts > definition.max_attempts:
            # Whoever had it in hand died each time.
            return await self._give_up(definition, saga, StepFailedError(step.failure_code))
        try:
            await self._tell(definition, saga)
            outcome: Outcome = await self._lease.hold(saga, step.action(saga, report), step.time_limit)
            if isinstance(outcome, Later):
                await self._release(saga, outcome.until, counted=False)
                return None
            return await self._advance(definition, saga, outcome)
        except LeaseLostError:
            raise
        except Exception as error:  # noqa: BLE001  whatever it was, it counts as a try
            if definition.is_outage(error) and await self._waits(definition, saga, report.away_since, error):
                return None
            failure = error if isinstance(error, StepFailedError) else StepFailedError(step.failure_code)
            _log.warning("a step failed", error=repr(error), final=failure.final, **_named(saga))
            if failure.final or report.attempts >= definition.max_attempts:
                return await self._give_up(definition, saga, failure)
            await self._release(saga, self._in(definition.pause(report.attempts)), error=repr(error))
            return None

    async def _waits(self, definition: Definition, saga: Saga, away_since: datetime | None, error: Exception) -> bool:
        """Give it back until what is away may be there again; ``False`` when that was waited for long enough."""
        since = away_since or self._clock()
        if self._clock() - since >= timedelta(seconds=definition.patience):
            return False
        _log.warning("a step waits for what is away", error=repr(error), since=since.isoformat(), **_named(saga))
        self._giving_back += 1
        try:
            while True:
                if await self._has_given_back(definition, saga, since):
                    return True
                await asyncio.sleep(min(definition.recheck, self._poll_seconds))
        finally:
            self._giving_back -= 1

    async def _has_given_back(self, definition: Definition, saga: Saga, since: datetime) -> bool:
        """Whether the database that was away has come back."""
        try:
            await self._release(saga, self._in(definition.recheck), counted=False, away_since=since)
        except Problem as problem:
            if not is_database_away(problem):
                raise
            return False
        return True

    async def _advance(self, definition: Definition, saga: Saga, effect: Effect | None) -> Saga | None:
        following = definition.after(saga.step)
        values: dict[str, object] = {"progress": 0 if following else 100, "attempts": 1, "away_since": None}
        values |= {"step": following.name} if following else _ended(SUCCEEDED)
        async with self._database.transaction() as tx:
            # First of all: it locks the row, so that nobody can claim it until the effect is committed.
            await saga_claims.settle(tx, saga, values)
            if effect is not None:
                await effect(tx)
            saga_claims.log_step(tx, saga, DONE, self.name)
        if following:
            return saga._replace(step=following.name, attempts=1, progress=0, away_since=None)
        await self._ended_as(definition, saga, SUCCEEDED)
        return None

    async def _give_up(self, definition: Definition, saga: Saga, failure: StepFailedError) -> Saga:
        values: dict[str, object] = {
            "state": COMPENSATING,
            "outcome": FAILED,
            "error": failure.code.sentence,
            "error_code": failure.code.value,
            "failed_step": saga.step,
            "retryable": failure.retryable and definition.is_behind_pivot(saga.step),
            "attempts": 1,
        }
        async with self._database.transaction() as tx:
            await saga_claims.settle(tx, saga, values)
            saga_claims.log_step(tx, saga, FAILED, self.name, failure.code.sentence)
        return saga._replace(
            state=COMPENSATING,
            outcome=FAILED,
            error=failure.code.sentence,
            error_code=failure.code.value,
            failed_step=saga.step,
            retryable=bool(values["retryable"]),
            attempts=1,
        )

    async def _backward(self, definition: Definition, saga: Saga) -> Saga | None:
        step = definition.step(saga.step)
        effect: Effect | None = None
        try:
            if step.compensation is not None and saga.attempts <= definition.max_attempts:
                outcome: Outcome = await self._lease.hold(saga, step.compensation(saga), step.time_limit)
                if isinstance(outcome, Later):
                    await self._release(saga, outcome.until, counted=False)
                    return None
                effect = outcome
            return await self._step_back(definition, saga, effect)
        except LeaseLostError:
            raise
        except Exception as error:  # noqa: BLE001  whatever it was, it counts as a try
            _log.warning("a compensation failed", error=repr(error), **_named(saga))
            await self._release(saga, self._in(definition.pause(saga.attempts)), error=repr(error))
            return None

    async def _step_back(self, definition: Definition, saga: Saga, effect: Effect | None) -> Saga | None:
        previous = definition.before(saga.step)
        values: dict[str, object] = {"attempts": 1}
        if previous is not None:
            values["step"] = previous.name
        else:
            kept = saga.outcome == FAILED and definition.is_behind_pivot(saga.failed_step or saga.step)
            values |= {**_ended(saga.outcome), "kept": kept, "step": saga.failed_step or saga.step}
        async with self._database.transaction() as tx:
            await saga_claims.settle(tx, saga, values)
            if effect is not None:
                await effect(tx)
            if previous is None and saga.outcome == FAILED:
                await definition.failed(tx, saga)
            given_up = saga.attempts > definition.max_attempts
            saga_claims.log_step(tx, saga, PASSED_OVER if given_up else COMPENSATED, self.name)
        if previous is not None:
            return saga._replace(step=previous.name, attempts=1)
        await self._ended_as(definition, saga, saga.outcome)
        return None

    async def _ended_as(self, definition: Definition, saga: Saga, state: str) -> None:
        saga_metrics.ENDED.labels(saga.kind, state).inc()
        if state == SUCCEEDED:
            await self._tell(definition, saga._replace(state=state, progress=100))

    async def _release(
        self,
        saga: Saga,
        due_at: datetime,
        *,
        counted: bool = True,
        error: str | None = None,
        away_since: datetime | None = None,
    ) -> None:
        values: dict[str, object] = {"locked_until": None, "locked_by": None, "due_at": due_at}
        if away_since is not None:
            values["away_since"] = away_since
        if not counted:
            values["attempts"] = SagaRow.attempts - 1
        async with self._database.transaction() as tx:
            await saga_claims.settle(tx, saga, values)
            if error is not None:
                saga_claims.log_step(tx, saga, "error", self.name, error[:1000])

    async def _give_back(self, saga: Saga) -> None:
        with contextlib.suppress(Exception):
            async with asyncio.timeout(GIVE_BACK_WITHIN):
                await self._release(saga, self._clock(), counted=False)

    async def _clean_up(self, definition: Definition, saga: Saga) -> None:
        """Take back what was done outside the database for a saga that was cancelled meanwhile."""
        try:
            async with self._database.reading() as tx:
                state = await saga_claims.state_of(tx, saga.id)
            compensation = definition.step(saga.step).compensation
            if compensation is not None and (state in (None, COMPENSATING, FAILED, CANCELLED)):
                await compensation(saga)
        except Exception:  # noqa: BLE001  the checks find what is left
            _log.exception("a lost saga was not cleaned up after", **_named(saga))

    async def _tell(self, definition: Definition, saga: Saga) -> None:
        try:
            await definition.progressed(saga)
        except Exception as error:  # noqa: BLE001  a convenience: the database has it as well
            _log.info("progress was not told", error=repr(error), **_named(saga))

    async def _measure_and_prune(self) -> None:
        await saga_metrics.measure(self._database, self._clock())
        if time.monotonic() - self._pruned_at < PRUNE_EVERY:
            return
        self._pruned_at = time.monotonic()
        async with self._database.transaction() as tx:
            await saga_claims.prune(tx, self._clock() - KEEP_ENDED, PRUNE_BATCH)

    def _in(self, seconds: float) -> datetime:
        return self._clock() + timedelta(seconds=seconds)


def _ended(state: str) -> dict[str, object]:
    return {"state": state, "due_at": None, "locked_until": None, "locked_by": None}


def _named(saga: Saga) -> dict[str, object]:
    return {"kind": saga.kind, "subject": saga.subject, "step": saga.step, "attempt": saga.attempts}
