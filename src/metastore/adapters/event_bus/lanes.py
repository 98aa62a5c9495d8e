"""Working through what a broker delivers: in order within an aggregate, with tries and pauses.

A broker knows only the order of its queue, so what must be said of a failing event (its later siblings wait, everybody
else goes on) is said here, in the process of the consumer. Each aggregate has a *lane*; a lane that waits for its next
try keeps its deliveries unsettled, so the broker gives them to another process should this one die. Tries are counted
in memory: a new process begins anew, and the broker's own limit is the net for an event that kills its process.
Failures while something else is away are no tries (``outages``).
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import structlog

from metastore.adapters.event_bus.outages import TRY_EVERY, Outages
from metastore.kit.outbox import RecordedEvent
from metastore.ports.event_bus import MAX_ATTEMPTS, PAUSES, Subscription

_log = structlog.get_logger(__name__)

ERROR_LENGTH = 2000

Token = TypeVar("Token")


@dataclass(frozen=True, slots=True)
class Pacing:
    """How failures are paced; all in seconds.

    ``pauses`` are those between tries (the last one repeats), ``patience`` is the time after which a handler that has
    not returned counts as failed, ``outage`` is the pause after a failure that is none of the event's fault.
    """

    pauses: Sequence[float] = PAUSES
    patience: float = 120.0
    outage: float = TRY_EVERY

    def pause_after(self, attempts: int) -> float:
        """How long to wait after that many tries."""
        return self.pauses[min(attempts, len(self.pauses)) - 1]


class Lanes(Generic[Token]):
    """The deliveries of one consumer that are not settled yet.

    ``settle`` is called with the token of each event that is done with, ``bury`` with an event whose last try failed
    and must set it aside before it settles the token. When either raises, ``broken`` gets the error and the deliveries
    are the broker's again. Up to ``side_by_side`` handlers run at a time, each for another aggregate.
    """

    def __init__(
        self,
        subscription: Subscription,
        pacing: Pacing,
        *,
        settle: Callable[[Token], Awaitable[None]],
        bury: Callable[[Token, RecordedEvent, int, str], Awaitable[None]],
        side_by_side: int = 1,
    ) -> None:
        self._subscription = subscription
        self._pacing = pacing
        self._settle = settle
        self._bury = bury
        self._room = asyncio.Semaphore(side_by_side)
        self._lanes: dict[str, deque[tuple[Token, RecordedEvent]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._outages = Outages(subscription.consumer)
        self.broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def add(self, token: Token, event: RecordedEvent) -> None:
        """Take a delivery; its turn comes after all earlier ones of its aggregate."""
        lane = self._lanes.get(event.aggregate)
        if lane is not None:
            lane.append((token, event))
            return
        self._lanes[event.aggregate] = deque([(token, event)])
        task = asyncio.create_task(self._work_off(event.aggregate), name=f"events about {event.aggregate}")
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def aclose(self) -> None:
        """Drop everything; what was being handled is cancelled."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self.break_off(error)

    def break_off(self, error: BaseException) -> None:
        """Say that the deliveries cannot be settled any more."""
        if not self.broken.done():
            self.broken.set_exception(error)
            self.broken.exception()  # seen: whoever waits for it is told all the same

    async def _work_off(self, aggregate: str) -> None:
        lane = self._lanes[aggregate]
        while lane:
            token, event = lane[0]
            await self._see_through(token, event)
            lane.popleft()
        del self._lanes[aggregate]

    async def _see_through(self, token: Token, event: RecordedEvent) -> None:
        attempt = 1
        while True:
            async with self._room:
                error = await self._try(event)
            if error is None:
                self._outages.over(event.id)
                await self._settle(token)
                return
            if self._outages.excuse(event.id, event, error):
                await asyncio.sleep(self._pacing.outage)
                continue
            self._note(event, attempt, error)
            if attempt == MAX_ATTEMPTS:
                self._outages.over(event.id)
                await self._bury(token, event, attempt, in_words(error))
                return
            await asyncio.sleep(self._pacing.pause_after(attempt))
            attempt += 1

    async def _try(self, event: RecordedEvent) -> Exception | None:
        if not self._subscription.wants(event.event_type):
            return None  # the type was wanted when the broker's binding was made, and is no more
        try:
            async with asyncio.timeout(self._pacing.patience):
                await self._subscription.handler(event)
        except Exception as error:  # noqa: BLE001  whatever a handler raises is a failure
            return error
        return None

    def _note(self, event: RecordedEvent, attempt: int, error: Exception) -> None:
        dead = attempt == MAX_ATTEMPTS
        _log.warning(
            "an event failed",
            consumer=self._subscription.consumer,
            event_type=event.event_type,
            event_id=event.id,
            attempts=attempt,
            dead=dead,
            error=in_words(error),
            # Once an event: where hundreds fail, writing down tracebacks is most of the work, and of the log.
            exc_info=error if dead else None,
        )


def in_words(error: Exception) -> str:
    """What is kept of an error with a dead event."""
    return f"{type(error).__name__}: {error}"[:ERROR_LENGTH]
