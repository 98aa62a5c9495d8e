"""The saga runner: claims due sagas and executes their steps. The module ``sagas`` describes the protocol.

A runner keeps a claimed saga until it has to wait, ends or is lost. A runner that is stopped releases its sagas, so
that others need not wait for the leases to expire.
"""

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from metastore.kit.clock import Clock, utc_now
from metastore.kit.database.unit_of_work import Database
from metastore.kit.ids import new_id
from metastore.kit.problems.problem import Problem
from metastore.kit.saga import claims, metrics, wake_ups
from metastore.kit.saga.claims import LeaseLostError
from metastore.kit.saga.definition import (
    Definition,
    Effect,
    Later,
    Outcome,
    StepFailedError,
    is_database_outage,
)
from metastore.kit.saga.lanes import Lanes
from metastore.kit.saga.lease import Lease
from metastore.kit.saga.models import (
    CANCELLED,
    COMPENSATED,
    COMPENSATING,
    DONE,
    FAILED,
    RUNNING,
    SKIPPED,
    SUCCEEDED,
    Saga,
)
from metastore.kit.saga.progress import Reporter

_log = structlog.get_logger(__name__)

CONCURRENCY = max(2, min(8, os.cpu_count() or 1))
"""Sagas at once. Their steps mostly wait for a child process that uses one processor."""
KEEP_ENDED = timedelta(days=1)
PRUNE_EVERY = 600.0
PRUNE_BATCH = 1000
RELEASE_WITHIN = 2.0
RETRY_UNKNOWN_AFTER = 30.0
RETRY_SECONDS = 1.0
"""Seconds until the next look after an error, or when the due sagas could not be claimed."""
SHORTEST_PAUSE = 0.01
"""Clocks are not exact: a pause that ends just before a due time is followed by another."""


class SagaRunner:
    """Runs the sagas of ``definitions``: ``concurrency`` at once, plus the long steps (``lanes``).

    It looks for due sagas when one becomes due (``wake_ups``), when somebody sets ``woken``, and every
    ``poll_seconds``.
    """

    def __init__(
        self,
        database: Database,
        definitions: Sequence[Definition],
        *,
        clock: Clock = utc_now,
        concurrency: int = CONCURRENCY,
        poll_seconds: float = wake_ups.POLL_SECONDS,
        woken: asyncio.Event | None = None,
    ) -> None:
        self._database = database
        self._definitions = {definition.kind: definition for definition in definitions}
        self._unreleased = 0
        """The number of sagas to release as soon as the database is available."""
        self._clock = clock
        self._poll_seconds = poll_seconds
        self._woken = woken or asyncio.Event()
        self._pruned_at = time.monotonic()
        self.name = f"{socket.gethostname()}:{os.getpid()}:{new_id()[-6:]}"
        lease = timedelta(seconds=max((d.lease for d in definitions), default=1.0))
        self._lease = Lease(database, lease, clock)
        self._lanes = Lanes(database, definitions, clock=clock, lease=lease, worker=self.name, concurrency=concurrency)

    async def run(self) -> None:
        """Run due sagas until cancelled."""
        async with wake_ups.waking(self._database, self._woken.set, clock=self._clock, poll_seconds=self._poll_seconds):
            await self._run()

    async def _run(self) -> None:
        work: set[asyncio.Task[None]] = set()
        unlocked = not self._database.single_writer
        try:
            while True:
                self._woken.clear()
                try:
                    unlocked = unlocked or await self._unlock()
                    pause = await self._start_due(work)
                    await self._measure_and_prune()
                except Exception as error:  # noqa: BLE001  the runner must survive a database outage
                    _log.warning("cannot claim sagas", error=repr(error))
                    pause = min(RETRY_SECONDS, self._poll_seconds)
                work = await self._wait_for_wake_or_result(work, pause)
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)

    async def _start_due(self, work: "set[asyncio.Task[None]]") -> float:
        """Claim due sagas and add tasks that run them to ``work``. Return the seconds until the next look."""
        due_at = await self._lanes.next_due(len(work), timedelta(seconds=self._poll_seconds))
        # A saga that could not be released might be claimed again after its lease, and count as a failed attempt.
        if due_at is None or self._unreleased:
            return self._poll_seconds
        if due_at >= (now := self._clock()):
            return max(SHORTEST_PAUSE, (due_at - now).total_seconds())
        claimed = await self._lanes.claim(len(work))
        for saga in claimed:
            work.add(asyncio.create_task(self._run_saga(saga), name=f"{saga.kind} {saga.subject}"))
        return 0 if claimed else min(RETRY_SECONDS, self._poll_seconds)

    async def run_due(self) -> int:
        """Run due sagas one after the other until none is due. Return the number of claims."""
        count = 0
        while not self._unreleased and (claimed := await self._lanes.claim_any()):
            count += 1
            await self._run_saga(claimed[0], has_lanes=False)
        return count

    async def _wait_for_wake_or_result(
        self, work: "set[asyncio.Task[None]]", pause: float
    ) -> "set[asyncio.Task[None]]":
        woken = asyncio.create_task(self._woken.wait())
        try:
            await asyncio.wait({woken, *work}, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
        finally:
            woken.cancel()
        return {task for task in work if not task.done()}

    async def _unlock(self) -> bool:
        async with self._database.transaction() as tx:
            await claims.unlock_all(tx, self._definitions)
        return True

    async def _run_saga(self, saga: Saga, *, has_lanes: bool = True) -> None:
        """Execute steps of a claimed saga until it waits, ends or is lost. Raises nothing but cancellation."""
        self._lanes.held.add(saga.id)
        try:
            await self._run_steps(saga, has_lanes=has_lanes)
        finally:
            self._lanes.held.discard(saga.id)

    async def _run_steps(self, saga: Saga, *, has_lanes: bool) -> None:
        held: Saga | None = saga
        while held is not None:
            current, held = held, None
            definition = self._definitions[current.kind]
            try:
                if has_lanes and await self._lanes.is_in_wrong_lane(definition, current):
                    await self._release(current, self._clock(), counted=False)
                    return
                with metrics.timed(current):
                    execute = self._forward if current.state == RUNNING else self._backward
                    held = await execute(definition, current)
            except asyncio.CancelledError:
                await self._release_on_stop(current)
                raise
            except LeaseLostError:
                _log.info("lost the claim on a saga", **_log_fields(current))
                await self._clean_up(definition, current)
            except LookupError as error:
                _log.warning("a saga has an unknown step", error=str(error), **_log_fields(current))
                await self._release(current, self._in(RETRY_UNKNOWN_AFTER), counted=False)
            except Exception:  # noqa: BLE001  the lease expires, and the saga is claimed again
                _log.exception("cannot run a saga", **_log_fields(current))
            finally:
                self._lanes.leave(current)

    async def _forward(self, definition: Definition, saga: Saga) -> Saga | None:
        step = definition.step(saga.step)
        report = Reporter(self._database, saga, lambda current: self._notify(definition, current))
        if saga.attempts > definition.max_attempts:
            # Every attempt's worker crashed.
            return await self._fail(definition, saga, StepFailedError(step.failure_code))
        try:
            await self._notify(definition, saga)
            outcome: Outcome = await self._lease.hold(saga, step.action(saga, report), step.time_limit)
            if isinstance(outcome, Later):
                await self._release(saga, outcome.until, counted=False)
                return None
            return await self._advance(definition, saga, outcome)
        except LeaseLostError:
            raise
        except Exception as error:  # noqa: BLE001  every other error counts as an attempt
            if definition.is_outage(error) and await self._wait_for_recovery(
                definition, saga, report.outage_since, error
            ):
                return None
            failure = error if isinstance(error, StepFailedError) else StepFailedError(step.failure_code)
            _log.warning("a step failed", error=repr(error), final=failure.final, **_log_fields(saga))
            if failure.final or report.attempts >= definition.max_attempts:
                return await self._fail(definition, saga, failure)
            await self._release(saga, self._in(definition.pause(report.attempts)), error=repr(error))
            return None

    async def _wait_for_recovery(
        self, definition: Definition, saga: Saga, outage_since: datetime | None, error: Exception
    ) -> bool:
        """Release the lease until the dependency recovers. Return ``False`` when the outage limit is reached."""
        since = outage_since or self._clock()
        if self._clock() - since >= timedelta(seconds=definition.outage_limit):
            return False
        _log.warning(
            "a step waits for the end of an outage", error=repr(error), since=since.isoformat(), **_log_fields(saga)
        )
        self._unreleased += 1
        try:
            while True:
                if await self._release_after_outage(definition, saga, since):
                    return True
                await asyncio.sleep(min(definition.outage_recheck, RETRY_SECONDS, self._poll_seconds))
        finally:
            self._unreleased -= 1
            self._woken.set()

    async def _release_after_outage(self, definition: Definition, saga: Saga, since: datetime) -> bool:
        """Release the saga. Return ``False`` while the database itself is unavailable."""
        try:
            await self._release(saga, self._in(definition.outage_recheck), counted=False, outage_since=since)
        except Problem as problem:
            if not is_database_outage(problem):
                raise
            return False
        return True

    async def _advance(self, definition: Definition, saga: Saga, effect: Effect | None) -> Saga | None:
        following = definition.after(saga.step)
        values: dict[str, object] = {"progress": 0 if following else 100, "attempts": 1, "outage_since": None}
        values |= {"step": following.name} if following else _ended(SUCCEEDED)
        async with self._database.transaction() as tx:
            # First, because it locks the row: no other worker can claim it until the effect is committed.
            await claims.settle(tx, saga, values)
            if effect is not None:
                await effect(tx)
            await claims.log_step(tx, saga, DONE, self.name)
        if following:
            return saga._replace(step=following.name, attempts=1, progress=0, outage_since=None)
        await self._record_end(definition, saga, SUCCEEDED)
        return None

    async def _fail(self, definition: Definition, saga: Saga, failure: StepFailedError) -> Saga:
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
            await claims.settle(tx, saga, values)
            await claims.log_step(tx, saga, FAILED, self.name, failure.code.sentence)
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
            return await self._complete_compensation(definition, saga, effect)
        except LeaseLostError:
            raise
        except Exception as error:  # noqa: BLE001  every other error counts as an attempt
            _log.warning("a compensation failed", error=repr(error), **_log_fields(saga))
            await self._release(saga, self._in(definition.pause(saga.attempts)), error=repr(error))
            return None

    async def _complete_compensation(self, definition: Definition, saga: Saga, effect: Effect | None) -> Saga | None:
        previous = definition.before(saga.step)
        values: dict[str, object] = {"attempts": 1}
        if previous is not None:
            values["step"] = previous.name
        else:
            kept = saga.outcome == FAILED and definition.is_behind_pivot(saga.failed_step or saga.step)
            values |= {**_ended(saga.outcome), "kept": kept, "step": saga.failed_step or saga.step}
        async with self._database.transaction() as tx:
            await claims.settle(tx, saga, values)
            if effect is not None:
                await effect(tx)
            if previous is None and saga.outcome == FAILED:
                await definition.failed(tx, saga)
            skipped = saga.attempts > definition.max_attempts
            await claims.log_step(tx, saga, SKIPPED if skipped else COMPENSATED, self.name)
        if previous is not None:
            return saga._replace(step=previous.name, attempts=1)
        await self._record_end(definition, saga, saga.outcome)
        return None

    async def _record_end(self, definition: Definition, saga: Saga, state: str) -> None:
        metrics.ENDED.labels(saga.kind, state).inc()
        if state == SUCCEEDED:
            await self._notify(definition, saga._replace(state=state, progress=100))

    async def _release(
        self,
        saga: Saga,
        due_at: datetime,
        *,
        counted: bool = True,
        error: str | None = None,
        outage_since: datetime | None = None,
    ) -> None:
        values: dict[str, object] = {"locked_until": None, "locked_by": None, "due_at": due_at}
        if outage_since is not None:
            values["outage_since"] = outage_since
        async with self._database.transaction() as tx:
            await claims.settle(tx, saga, values, counted=counted)
            wake_ups.schedule(tx, due_at)
            if error is not None:
                await claims.log_step(tx, saga, "error", self.name, error[:1000])

    async def _release_on_stop(self, saga: Saga) -> None:
        with contextlib.suppress(Exception):
            async with asyncio.timeout(RELEASE_WITHIN):
                await self._release(saga, self._clock(), counted=False)

    async def _clean_up(self, definition: Definition, saga: Saga) -> None:
        """Compensate the current step of a saga that was cancelled while it ran."""
        try:
            async with self._database.reading() as tx:
                state = await claims.state_of(tx, saga.id)
            compensation = definition.step(saga.step).compensation
            if compensation is not None and (state in (None, COMPENSATING, FAILED, CANCELLED)):
                await compensation(saga)
        except Exception:  # noqa: BLE001  fsck finds what it leaves behind
            _log.exception("cannot compensate the step of a lost saga", **_log_fields(saga))

    async def _notify(self, definition: Definition, saga: Saga) -> None:
        try:
            await definition.progressed(saga)
        except Exception as error:  # noqa: BLE001  only a convenience: the state is in the database
            _log.info("cannot report progress", error=repr(error), **_log_fields(saga))

    async def _measure_and_prune(self) -> None:
        await metrics.measure(self._database, self._clock())
        if time.monotonic() - self._pruned_at < PRUNE_EVERY:
            return
        self._pruned_at = time.monotonic()
        async with self._database.transaction() as tx:
            await claims.prune(tx, self._clock() - KEEP_ENDED, PRUNE_BATCH)

    def _in(self, seconds: float) -> datetime:
        return self._clock() + timedelta(seconds=seconds)


def _ended(state: str) -> dict[str, object]:
    return {"state": state, "due_at": None, "locked_until": None, "locked_by": None}


def _log_fields(saga: Saga) -> dict[str, object]:
    return {"kind": saga.kind, "subject": saga.subject, "step": saga.step, "attempt": saga.attempts}
