"""What a saga consists of: its definition, for ``processes`` to write and ``saga_runner`` to run."""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import takewhile
from typing import Protocol

from metastore.kit.database import Transaction
from metastore.kit.problem import Problem
from metastore.kit.reason_codes import ReasonCode
from metastore.kit.saga_models import Saga

Effect = Callable[[Transaction], Awaitable[None]]
"""What a step wants in the database; committed together with the saga's advance, or not at all."""


class Report(Protocol):
    """How a step tells of itself while it goes on, and keeps what it has so far.

    When it comes further than it ever was, the count of tries begins anew: what takes hours may be interrupted often,
    and is still given up when it fails three times at the same place.
    """

    async def __call__(self, percent: int) -> None:
        """Tell how far the step is."""
        ...

    def transaction(self, *, percent: int = 0, further: bool = False) -> AbstractAsyncContextManager[Transaction]:
        """A transaction of the step's own. ``further``: it is progress that percents do not show.

        Raises:
            LeaseLostError: the saga is somebody else's by now, or was cancelled; nothing is changed.
        """
        ...


@dataclass(frozen=True, slots=True)
class Later:
    """Returned by a step that has to wait for somebody: try again then. It counts as no attempt."""

    until: datetime


Outcome = Effect | Later | None
Action = Callable[[Saga, Report], Coroutine[None, None, Outcome]]
"""Does a step's work outside any transaction. May run again after it was done, and beside itself."""
Compensation = Callable[[Saga], Coroutine[None, None, Outcome]]
"""Takes a step back, whether or not it was done, or half. May run again."""


class StepFailedError(Exception):
    """A step cannot be done, for a reason that its owner is notified of.

    With ``final`` the saga fails at once: another attempt would fail in the same way. Such a saga is not ``retryable``
    unless the error says so.
    """

    def __init__(self, code: ReasonCode, *, final: bool = False, retryable: bool | None = None) -> None:
        super().__init__(code.sentence)
        self.code = code
        self.final = final
        self.retryable = not final if retryable is None else retryable


@dataclass(frozen=True, slots=True)
class Step:
    """One step; ``time_limit`` in seconds, ``None`` when what it does is limited there.

    ``failure_code`` is the reason given when it failed without a ``StepFailedError``. Behind a ``pivot``
    there is no way back before it. A step that ``may_take_long``, for hours even, says of which sagas it does: runners
    have a lane of its own for these, so that everything else need not wait for them.
    """

    name: str
    action: Action
    failure_code: ReasonCode
    compensation: Compensation | None = None
    time_limit: float | None = 60.0
    pivot: bool = False
    may_take_long: Callable[[Saga], Awaitable[bool]] | None = None


async def _nobody(saga: Saga) -> None:
    """Nobody wants to know."""


async def _nothing(tx: Transaction, saga: Saga) -> None:
    """Nothing follows."""


def is_database_away(error: BaseException) -> bool:
    """Whether the database is away, or full."""
    return isinstance(error, Problem) and error.status in (503, 507)


@dataclass(frozen=True, slots=True)
class Definition:
    """A kind of saga. Durations in seconds; the pause after the n-th attempt is the n-th of ``pauses``, or the last.

    ``failed`` runs in the transaction in which a saga ends as failed (not: cancelled). ``progressed`` is called after
    each commit that a watcher may want to know of, and now and then while a step goes on; what it raises is logged.
    ``is_outage`` tells errors that are nobody's fault here: for ``patience`` since the first of them, or since the step
    last came further, they are no tries, and the step is done again ``recheck`` after each.
    """

    kind: str
    steps: Sequence[Step]
    failed: Callable[[Transaction, Saga], Awaitable[None]] = _nothing
    progressed: Callable[[Saga], Awaitable[None]] = _nobody
    lease: float = 20.0
    is_outage: Callable[[BaseException], bool] = is_database_away
    patience: float = 120.0
    recheck: float = 3.0
    max_attempts: int = 3
    pauses: Sequence[float] = field(default=(1.0, 5.0, 15.0))

    def step(self, name: str) -> Step:
        """The step of that name.

        Raises:
            LookupError: there is none; the code is older than the saga.
        """
        return self.steps[self._index(name)]

    def after(self, name: str) -> Step | None:
        """The step that follows."""
        following = self._index(name) + 1
        return self.steps[following] if following < len(self.steps) else None

    def before(self, name: str) -> Step | None:
        """The step that is taken back after this one; none beyond the pivot."""
        index = self._index(name)
        if index == 0 or self.steps[index - 1].pivot:
            return None
        return self.steps[index - 1]

    def is_behind_pivot(self, name: str) -> bool:
        """Whether the saga can be tried again once it has failed at this step."""
        return any(step.pivot for step in takewhile(lambda step: step.name != name, self.steps))

    def pause(self, attempts: int) -> float:
        """How long to wait after that many attempts."""
        return self.pauses[min(attempts, len(self.pauses)) - 1] if attempts else 0.0

    def _index(self, name: str) -> int:
        for index, step in enumerate(self.steps):
            if step.name == name:
                return index
        raise LookupError(f"the saga {self.kind} has no step {name}")
