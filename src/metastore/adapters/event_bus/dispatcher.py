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
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from metastore.adapters.event_bus.outages import OutageTracker
from metastore.adapters.event_bus.retries import RetryPolicy, describe, log_failure
from metastore.kit.events.outbox import RecordedEvent
from metastore.ports.event_bus import MAX_ATTEMPTS, Subscription

Token = TypeVar("Token")


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
