"""Dispatch a broker's deliveries to a consumer, in order within each aggregate, with retries.

A broker only knows the order of its queue. The rule that a failing event blocks later events of its own aggregate, and
no others, is therefore enforced here, in the consumer's process. Each aggregate has a queue in memory. Deliveries stay
unsettled while their aggregate waits for its next attempt, so the broker redelivers them to another process if this
one dies.

Deliveries that arrive faster than they are handled go to the consumer's batch handler. What a batch cannot contain, and
what failed in one, is handled alone.

Attempts are counted in memory and start again in a new process; the broker's own delivery limit covers events that
kill their process. Outages do not count as attempts (see ``outages``).
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Generic, TypeVar

from metastore.adapters.event_bus.outages import OutageTracker
from metastore.adapters.event_bus.retries import RetryPolicy, describe, log_failure
from metastore.kit.events.outbox import RecordedEvent
from metastore.ports.event_bus import MAX_ATTEMPTS, BatchHandler, Subscription
from metastore.ports.outage import is_outage

BATCH = 200
"""Maximum number of events in a batch."""
GATHER = 0.02
"""Seconds from one batch to the next, in which deliveries gather. One that comes alone is handled at once."""

Token = TypeVar("Token")


class Dispatcher(Generic[Token]):
    """The unsettled deliveries of one consumer.

    ``settle`` is called with the token of each handled event. ``dead_letter`` is called with an event whose last
    attempt failed; it must store the dead letter before it settles the token. If either raises, ``failed`` gets the
    error and the unsettled deliveries are left to the broker. At most ``concurrency`` handlers run at a time, each for
    a different aggregate, beside one batch.
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
        self._arrived: deque[tuple[Token, RecordedEvent]] = deque()
        self._batches: asyncio.Task[None] | None = None
        self._last_batch_at = -GATHER
        self._outages = OutageTracker(subscription.consumer)
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Gets an exception once deliveries can no longer be settled."""

    def add(self, token: Token, event: RecordedEvent) -> None:
        """Add a delivery, to be handled after all earlier ones of its aggregate."""
        if self._subscription.batch_handler is None:
            self._handle_alone(token, event)
            return
        self._arrived.append((token, event))
        if self._batches is None:
            handling = self._handle_arrived(self._subscription.batch_handler)
            self._batches = self._start(handling, "batches of events")

    def _handle_alone(self, token: Token, event: RecordedEvent) -> None:
        queue = self._queues.get(event.aggregate)
        if queue is not None:
            queue.append((token, event))
            return
        self._queues[event.aggregate] = deque([(token, event)])
        self._start(self._run_queue(event.aggregate), f"events of {event.aggregate}")

    def _start(self, work: Coroutine[None, None, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._on_task_done)
        return task

    async def _handle_arrived(self, batch_handler: BatchHandler) -> None:
        """Handle what has arrived in batches, until nothing is left."""
        size = BATCH
        while self._arrived:
            await asyncio.sleep(max(0.0, self._last_batch_at + GATHER - time.monotonic()))
            self._last_batch_at = time.monotonic()
            batch = self._next_batch(size)
            if len(batch) == 1:
                self._handle_alone(*batch[0])
                size = min(BATCH, size * 2)
            elif batch:
                size = min(BATCH, size * 2) if await self._handle_batch(batch_handler, batch) else len(batch) // 2
        self._batches = None

    def _next_batch(self, size: int) -> list[tuple[Token, RecordedEvent]]:
        """Take the next deliveries, without those of aggregates whose earlier events are handled alone."""
        batch: list[tuple[Token, RecordedEvent]] = []
        while self._arrived and len(batch) < size:
            token, event = self._arrived.popleft()
            if event.aggregate in self._queues or not self._subscription.accepts(event.event_type):
                self._handle_alone(token, event)
            else:
                batch.append((token, event))
        return batch

    async def _handle_batch(self, batch_handler: BatchHandler, batch: Sequence[tuple[Token, RecordedEvent]]) -> bool:
        """Pass deliveries to the batch handler and settle those that it handled. Return ``False`` when it failed."""
        handled = 0
        began_at, self._last_batch_at = self._last_batch_at, -GATHER  # only a batch that succeeds delays the next
        try:
            async with asyncio.timeout(self._policy.handler_timeout):
                handled = await batch_handler([event for _, event in batch], None)
        except Exception as error:  # noqa: BLE001  handling them one at a time shows which event fails
            if not isinstance(error, TimeoutError) and not is_outage(error):
                self._arrived.extendleft(reversed(batch))
                return False
            for token, event in batch:
                self._handle_alone(token, event)
            return True
        if handled:
            self._last_batch_at = began_at
        else:  # the first event cannot be part of a batch
            self._handle_alone(*batch[0])
        self._arrived.extendleft(reversed(batch[handled or 1 :]))
        for token, _ in batch[:handled]:
            await self._settle(token)
        return True

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
            log_failure(self._subscription.consumer, event, attempt, error, dead=attempt == MAX_ATTEMPTS)
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
