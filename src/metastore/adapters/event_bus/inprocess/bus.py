"""In-process event bus with durable queues in the product's own database.

Publishing inserts one row for each event and subscribed consumer, in one transaction. Each consumer runs in its own
task and handles its queue one event at a time, which preserves order. Publishing wakes the task through memory;
polling covers events that were queued without a wake-up.

Commits are kept few because each one waits for the disk. Consumers may handle several events in one call (the
subscription's batch handler), falling back to one at a time when a batch fails. A batch is then settled in one
transaction: handled rows are deleted and failures are recorded. If the process dies before that, the batch is
delivered again; consumers drop the duplicates by event id.

Known limit: only one process may run a given queue. With two, each event would still take effect once, but order could
be lost.
"""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from datetime import timedelta
from itertools import takewhile

import structlog

from metastore.adapters.event_bus.inprocess import queue
from metastore.adapters.event_bus.inprocess.queue import Delivery, Failure
from metastore.adapters.event_bus.outages import RETRY_INTERVAL, OutageTracker
from metastore.kit.clock import utc_now
from metastore.kit.database.unit_of_work import Database
from metastore.kit.events.outbox import RecordedEvent
from metastore.kit.problems.problem import Problem
from metastore.ports.event_bus import (
    BACKOFF,
    MAX_ATTEMPTS,
    BusUnavailableError,
    DeadEvent,
    Subscription,
    select_subscriptions,
)

_log = structlog.get_logger(__name__)

BATCH = 50
"""Maximum number of events fetched from a queue at a time."""
SETTLE_AFTER = 0.1
"""Seconds of work after which a batch is settled early. Bounds what is redelivered after a kill."""
ERROR_LENGTH = 2000
"""Characters of an error message that are stored."""


class InProcessBus:
    """``EventBus`` on the tables of ``database``. All durations are in seconds.

    ``backoff`` lists the delays between attempts; the last one repeats. A handler that runs longer than
    ``handler_timeout`` counts as failed. ``outage_interval`` is the delay between retries during an outage (see
    ``outages``), ``poll_interval`` the delay between checks of an idle queue.
    """

    def __init__(
        self,
        database: Database,
        *,
        backoff: Sequence[float] = BACKOFF,
        handler_timeout: float = 120.0,
        outage_interval: float = RETRY_INTERVAL,
        poll_interval: float = 2.0,
    ) -> None:
        self._database = database
        self._backoff = backoff
        self._handler_timeout = handler_timeout
        self._outage_interval = outage_interval
        self._poll_interval = poll_interval
        self._subscriptions: list[Subscription] = []
        self._woken: dict[str, asyncio.Event] = {}
        self._outages: dict[str, OutageTracker] = {}

    @property
    def subscriptions(self) -> Sequence[Subscription]:
        """The registered consumers."""
        return tuple(self._subscriptions)

    def subscribe(self, subscription: Subscription) -> None:
        """Register a consumer.

        Raises:
            ValueError: a consumer of that name is already registered.
        """
        if subscription.consumer in self._woken:
            raise ValueError(f"consumer {subscription.consumer} is already subscribed")
        self._subscriptions.append(subscription)
        self._woken[subscription.consumer] = asyncio.Event()
        self._outages[subscription.consumer] = OutageTracker(subscription.consumer)

    async def publish(self, events: Sequence[RecordedEvent]) -> None:
        """Queue the events for their consumers in one transaction."""
        deliveries = [
            (s.consumer, event) for event in events for s in self._subscriptions if s.accepts(event.event_type)
        ]
        if not deliveries:
            return
        try:
            async with self._database.transaction() as tx:
                await queue.enqueue(tx, deliveries)
        except Problem as problem:
            raise BusUnavailableError(problem.detail) from problem
        for consumer in {consumer for consumer, _ in deliveries}:
            self._woken[consumer].set()

    async def run(self, only: frozenset[str] | None = None) -> None:
        """Deliver events until cancelled."""
        served = select_subscriptions(self._subscriptions, only)
        async with asyncio.TaskGroup() as tasks:
            for subscription in served:
                tasks.create_task(self._serve(subscription), name=f"consumer {subscription.consumer}")
            await asyncio.Event().wait()

    async def dead_events(self, *, limit: int, before: str | None = None) -> list[DeadEvent]:
        """Return dead events, most recently queued first."""
        async with self._database.reading() as tx:
            return await queue.dead(tx, limit, before)

    async def redeliver(self, dead_id: str) -> bool:
        """Return a dead event to its queue with a fresh set of attempts."""
        async with self._database.transaction() as tx:
            consumer = await queue.requeue_dead(tx, dead_id)
        if consumer in self._woken:
            self._woken[consumer].set()
        return consumer is not None

    async def check(self) -> None:
        """Check the database, which is all that the bus depends on."""
        try:
            await self._database.check()
        except Problem as problem:
            raise BusUnavailableError(problem.detail) from problem

    async def aclose(self) -> None:
        """Do nothing; the database belongs to the caller."""

    async def _serve(self, subscription: Subscription) -> None:
        woken = self._woken[subscription.consumer]
        while True:
            woken.clear()
            try:
                pause = await self._deliver_batch(subscription)
            except Exception:  # noqa: BLE001  the task must survive any error; the database may recover
                _log.exception("event queue unavailable", consumer=subscription.consumer)
                pause = self._poll_interval
            if pause:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await woken.wait()

    async def _deliver_batch(self, subscription: Subscription) -> float:
        """Deliver one batch and return the seconds to wait before the next, unless woken earlier."""
        async with self._database.reading() as tx:
            batch = await queue.due(tx, subscription.consumer, BATCH)
            next_due = None if batch else await queue.next_due(tx, subscription.consumer)
        if batch:
            await self._deliver(subscription, batch)
            return 0
        if next_due is None:
            return self._poll_interval
        return min(self._poll_interval, max(0.01, (next_due - utc_now()).total_seconds()))

    async def _deliver(self, subscription: Subscription, batch: list[Delivery]) -> None:
        handled: list[str] = []
        failed: dict[str, Failure] = {}
        blocked: set[str] = set()
        settle_at = time.monotonic() + SETTLE_AFTER
        count = await self._handle_as_batch(subscription, batch)
        handled += [delivery.id for delivery in batch[:count]]
        for delivery in batch[count:]:
            if delivery.event.aggregate in blocked:
                continue
            failure = await self._handle(subscription, delivery)
            if failure is None:
                handled.append(delivery.id)
            else:
                failed[delivery.id] = failure
                if failure.next_attempt_at is not None:
                    blocked.add(delivery.event.aggregate)
            if time.monotonic() >= settle_at:
                await self._settle(handled, failed)
                handled, failed = [], {}
                settle_at = time.monotonic() + SETTLE_AFTER
        await self._settle(handled, failed)

    async def _settle(self, handled: list[str], failed: dict[str, Failure]) -> None:
        if handled or failed:
            async with self._database.transaction() as tx:
                await queue.settle(tx, handled, failed)

    async def _handle_as_batch(self, subscription: Subscription, batch: Sequence[Delivery]) -> int:
        """Pass as many deliveries as possible to the batch handler and return how many it handled."""
        handled = 0
        # A delivery that failed before would probably fail the whole batch again.
        fresh = list(takewhile(lambda delivery: not delivery.attempts, batch))
        while subscription.batch_handler is not None and handled < len(fresh):
            try:
                async with asyncio.timeout(self._handler_timeout):
                    more = await subscription.batch_handler([delivery.event for delivery in fresh[handled:]])
            except Exception as error:  # noqa: BLE001  handling them one at a time shows which event fails
                _log.debug(
                    "batch handler failed, handling events one at a time",
                    consumer=subscription.consumer,
                    error=_describe(error),
                )
                break
            if not more:
                break
            handled += more
        for delivery in batch[:handled]:
            self._outages[subscription.consumer].clear(delivery.id)
        return handled

    async def _handle(self, subscription: Subscription, delivery: Delivery) -> Failure | None:
        outages = self._outages[subscription.consumer]
        try:
            async with asyncio.timeout(self._handler_timeout):
                await subscription.handler(delivery.event)
        except Exception as error:  # noqa: BLE001  any exception from a handler is a failure
            if outages.is_excused(delivery.id, delivery.event, error):
                retry_at = utc_now() + timedelta(seconds=self._outage_interval)
                return Failure(_describe(error), retry_at, counts=False)
            attempts = delivery.attempts + 1
            dead = attempts >= MAX_ATTEMPTS
            if dead:
                outages.clear(delivery.id)
            _log.warning(
                "event handler failed",
                consumer=subscription.consumer,
                event_type=delivery.event.event_type,
                event_id=delivery.event.id,
                attempts=attempts,
                dead=dead,
                error=_describe(error),
                # Once per event: with hundreds of failures, tracebacks would dominate both the work and the log.
                exc_info=error if dead else None,
            )
            return Failure(_describe(error), None if dead else utc_now() + self._delay_after(attempts))
        outages.clear(delivery.id)
        return None

    def _delay_after(self, attempts: int) -> timedelta:
        return timedelta(seconds=self._backoff[min(attempts, len(self._backoff)) - 1])


def _describe(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:ERROR_LENGTH]
