"""Dispatch a broker's deliveries to a consumer, in order within each aggregate, with retries.

A broker only knows the order of its queue. The rule that a failing event blocks later events of its own aggregate, and
no others, is therefore enforced here, in the consumer's process. Each aggregate has a queue in memory. Deliveries stay
unsettled while their aggregate waits for its next attempt, so the broker redelivers them to another process if this
one dies.

Attempts are counted in memory and start again in a new process; the broker's own delivery limit covers events that
kill their process. Outages do not count as attempts (see ``outages``).
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import structlog

from metastore.adapters.event_bus.outages import RETRY_INTERVAL, OutageTracker
from metastore.kit.events.outbox import RecordedEvent
from metastore.ports.event_bus import BACKOFF, MAX_ATTEMPTS, Subscription

_log = structlog.get_logger(__name__)

ERROR_LENGTH = 2000
"""Characters of an error message that are kept with a dead letter."""

Token = TypeVar("Token")


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When to retry a failed event. All durations are in seconds.

    ``backoff`` lists the delays between attempts; the last one repeats. A handler that runs longer than
    ``handler_timeout`` counts as failed. ``outage_interval`` is the delay between retries during an outage.
    """

    backoff: Sequence[float] = BACKOFF
    handler_timeout: float = 120.0
    outage_interval: float = RETRY_INTERVAL

    def delay_after(self, attempts: int) -> float:
        """Return the delay before the next attempt, after ``attempts`` failed ones."""
        return self.backoff[min(attempts, len(self.backoff)) - 1]


class Dispatcher(Generic[Token]):
    """The unsettled deliveries of one consumer.

    ``settle`` is called with the token of each handled event. ``dead_letter`` is called with an event whose last
    attempt failed; it must store the dead letter before it settles the token. If either raises, ``failed`` gets the
    error and the unsettled deliveries are left to the broker. At most ``concurrency`` handlers run at a time, each for
    a different aggregate.
    """

    def __init__(
        self,
        subscription: Subscription,
        retry_policy: RetryPolicy,
        *,
        settle: Callable[[Token], Awaitable[None]],
        dead_letter: Callable[[Token, RecordedEvent, int, str], Awaitable[None]],
        concurrency: int = 1,
    ) -> None:
        self._subscription = subscription
        self._policy = retry_policy
        self._settle = settle
        self._dead_letter = dead_letter
        self._slots = asyncio.Semaphore(concurrency)
        self._queues: dict[str, deque[tuple[Token, RecordedEvent]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._outages = OutageTracker(subscription.consumer)
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Gets an exception once deliveries can no longer be settled."""

    def add(self, token: Token, event: RecordedEvent) -> None:
        """Add a delivery, to be handled after all earlier ones of its aggregate."""
        queue = self._queues.get(event.aggregate)
        if queue is not None:
            queue.append((token, event))
            return
        self._queues[event.aggregate] = deque([(token, event)])
        task = asyncio.create_task(self._run_queue(event.aggregate), name=f"events of {event.aggregate}")
        self._tasks.add(task)
        task.add_done_callback(self._on_task_done)

    async def aclose(self) -> None:
        """Drop all unsettled deliveries and cancel the running handlers."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _on_task_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self.fail(error)

    def fail(self, error: BaseException) -> None:
        """Set ``failed``: deliveries can no longer be settled."""
        if not self.failed.done():
            self.failed.set_exception(error)
            self.failed.exception()  # Retrieve it, so that asyncio does not warn if nobody awaits the future.

    async def _run_queue(self, aggregate: str) -> None:
        queue = self._queues[aggregate]
        while queue:
            token, event = queue[0]
            await self._deliver(token, event)
            queue.popleft()
        del self._queues[aggregate]

    async def _deliver(self, token: Token, event: RecordedEvent) -> None:
        attempt = 1
        while True:
            async with self._slots:
                error = await self._handle(event)
            if error is None:
                self._outages.clear(event.id)
                await self._settle(token)
                return
            if self._outages.is_excused(event.id, event, error):
                await asyncio.sleep(self._policy.outage_interval)
                continue
            self._log_failure(event, attempt, error)
            if attempt == MAX_ATTEMPTS:
                self._outages.clear(event.id)
                await self._dead_letter(token, event, attempt, describe(error))
                return
            await asyncio.sleep(self._policy.delay_after(attempt))
            attempt += 1

    async def _handle(self, event: RecordedEvent) -> Exception | None:
        if not self._subscription.accepts(event.event_type):
            return None  # A binding of an earlier version may still deliver types that are no longer consumed.
        try:
            async with asyncio.timeout(self._policy.handler_timeout):
                await self._subscription.handler(event)
        except Exception as error:  # noqa: BLE001  any exception from a handler is a failure
            return error
        return None

    def _log_failure(self, event: RecordedEvent, attempt: int, error: Exception) -> None:
        dead = attempt == MAX_ATTEMPTS
        _log.warning(
            "event handler failed",
            consumer=self._subscription.consumer,
            event_type=event.event_type,
            event_id=event.id,
            attempts=attempt,
            dead=dead,
            error=describe(error),
            # Once per event: with hundreds of failures, tracebacks would dominate both the work and the log.
            exc_info=error if dead else None,
        )


def describe(error: Exception) -> str:
    """Return the text of an error as it is stored with a dead letter."""
    return f"{type(error).__name__}: {error}"[:ERROR_LENGTH]
