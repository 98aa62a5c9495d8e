"""The definition of a saga: its steps, their actions and compensations, and its retry policy."""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import takewhile
from typing import Protocol

from metastore.kit.database.unit_of_work import Transaction
from metastore.kit.problems.problem import Problem
from metastore.kit.problems.reason_codes import ReasonCode
from metastore.kit.saga.models import Saga

Effect = Callable[[Transaction], Awaitable[None]]
"""The database changes of a step. They are committed in the transaction that advances the saga."""


class Report(Protocol):
    """Reports a running step's progress and saves its intermediate results.

    New progress resets the count of attempts. So a step that takes hours may be interrupted often, but still fails when
    it is interrupted three times at the same point.
    """

    async def __call__(self, percent: int) -> None:
        """Report the step's progress."""
        ...

    def transaction(self, *, percent: int = 0, further: bool = False) -> AbstractAsyncContextManager[Transaction]:
        """Open a transaction of the step's own. ``further`` counts it as progress even if ``percent`` does not grow.

        Raises:
            LeaseLostError: another worker has claimed the saga, or it was changed; nothing is committed.
        """
        ...


@dataclass(frozen=True, slots=True)
class Later:
    """The outcome of a step that has to wait: it runs again at ``until``. This does not count as an attempt."""

    until: datetime


Outcome = Effect | Later | None
Action = Callable[[Saga, Report], Coroutine[None, None, Outcome]]
"""Executes a step outside any transaction. It may run again after it has finished, and concurrently with itself."""
Compensation = Callable[[Saga], Coroutine[None, None, Outcome]]
"""Undoes a step, whether it was done completely, partly or not at all. It may run again."""


class StepFailedError(Exception):
    """A step failed, for a reason that users are shown.

    With ``final`` the step is not attempted again: the saga fails at once. ``retryable`` tells whether users may
    restart the saga later; by default only if the error is not final.
    """

    def __init__(self, code: ReasonCode, *, final: bool = False, retryable: bool | None = None) -> None:
        super().__init__(code.sentence)
        self.code = code
        self.final = final
        self.retryable = not final if retryable is None else retryable


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a saga.

    ``failure_code`` is the reason shown to users for errors other than ``StepFailedError``. ``time_limit`` is in
    seconds; ``None`` is for actions that limit their own time. Compensation stops at a ``pivot``. ``may_take_long``
    tells for which sagas the step is long; runners execute long steps in a lane of their own.
    """

    name: str
    action: Action
    failure_code: ReasonCode
    compensation: Compensation | None = None
    time_limit: float | None = 60.0
    pivot: bool = False
    may_take_long: Callable[[Saga], Awaitable[bool]] | None = None


async def _ignore_progress(saga: Saga) -> None:
    """Do nothing."""


async def _ignore_failure(tx: Transaction, saga: Saga) -> None:
    """Do nothing."""


def is_database_outage(error: BaseException) -> bool:
    """Return whether the error means that the database is unavailable or full."""
    return isinstance(error, Problem) and error.status in (503, 507)


@dataclass(frozen=True, slots=True)
class Definition:
    """A kind of saga. Durations are in seconds.

    The delay after the n-th attempt is the n-th of ``backoff``, or the last. ``failed`` runs in the transaction in
    which a saga ends as failed, but not as cancelled. ``progressed`` is called after each commit that made progress;
    its errors are logged. Errors for which ``is_outage`` is true do not count as attempts for ``outage_limit`` seconds
    after the first of them, or after the latest progress. The step is then retried every ``outage_recheck`` seconds.
    """

    kind: str
    steps: Sequence[Step]
    failed: Callable[[Transaction, Saga], Awaitable[None]] = _ignore_failure
    progressed: Callable[[Saga], Awaitable[None]] = _ignore_progress
    lease: float = 20.0
    is_outage: Callable[[BaseException], bool] = is_database_outage
    outage_limit: float = 120.0
    outage_recheck: float = 3.0
    max_attempts: int = 3
    backoff: Sequence[float] = field(default=(1.0, 5.0, 15.0))

    def step(self, name: str) -> Step:
        """Return the step of that name.

        Raises:
            LookupError: there is none. The saga was started by another version of the code.
        """
        return self.steps[self._index(name)]

    def after(self, name: str) -> Step | None:
        """Return the following step, or ``None`` after the last."""
        following = self._index(name) + 1
        return self.steps[following] if following < len(self.steps) else None

    def before(self, name: str) -> Step | None:
        """Return the step to compensate next, or ``None`` when this one is the first or directly follows the pivot."""
        index = self._index(name)
        if index == 0 or self.steps[index - 1].pivot:
            return None
        return self.steps[index - 1]

    def is_behind_pivot(self, name: str) -> bool:
        """Return whether the step comes after the pivot, so that a saga that failed at it can be restarted."""
        return any(step.pivot for step in takewhile(lambda step: step.name != name, self.steps))

    def pause(self, attempts: int) -> float:
        """Return the delay in seconds after that many attempts."""
        return self.backoff[min(attempts, len(self.backoff)) - 1] if attempts else 0.0

    def _index(self, name: str) -> int:
        for index, step in enumerate(self.steps):
            if step.name == name:
                return index
        raise LookupError(f"the saga {self.kind} has no step {name}")
