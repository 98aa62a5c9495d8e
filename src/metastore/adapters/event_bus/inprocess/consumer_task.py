"""Delivering events to one consumer of the in-process bus.

The consumer's events are handled in batches. A batch that fails is halved until the event that fails is alone; it goes
to the queue with its attempts, and so do the later events of its aggregate. The others have their effect once, in
order. Nothing polls while nothing happens: publishing wakes the task, and a queued event does when it is due.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import takewhile

import structlog

from metastore.adapters.event_bus.inprocess import queue
from metastore.adapters.event_bus.inprocess.queue import Delivery, Failure
from metastore.adapters.event_bus.inprocess.recent_events import RecentEvents
from metastore.adapters.event_bus.inprocess.sources import MovedError, PublishedEvents, QueuedEvents, Source
from metastore.adapters.event_bus.outages import OutageTracker
from metastore.adapters.event_bus.retries import RetryPolicy, describe, log_failure
from metastore.kit.clock import utc_now
from metastore.kit.database.unit_of_work import Database, Transaction
from metastore.kit.events import inbox, positions
from metastore.kit.events.outbox import RecordedEvent
from metastore.ports.event_bus import MAX_ATTEMPTS, Subscription

_log = structlog.get_logger(__name__)

BATCH = 200
"""Maximum number of events that are handled in one transaction."""
SETTLE_AFTER = 0.1
"""Seconds of work outside transactions after which it is settled. Bounds what is redelivered after a kill."""
GATHER = 0.1
"""Seconds from the beginning of one batch to that of the next, unless it is full: a batch costs the database nearly
the same for any number of events."""
SHORTEST_PAUSE = 0.02
"""Seconds."""
SAVE_AFTER = 1000
"""Events of other types after which the position is stored nevertheless. Bounds what is read again after a start."""


class ConsumerTask:
    """Delivers events to one consumer. ``poll_interval`` is in seconds."""

    def __init__(
        self,
        database: Database,
        subscription: Subscription,
        recent: RecentEvents,
        policy: RetryPolicy,
        poll_interval: float,
    ) -> None:
        self._database = database
        self._subscription = subscription
        self._recent = recent
        self._policy = policy
        self._poll_interval = poll_interval
        self._outages = OutageTracker(subscription.consumer)
        self._woken = asyncio.Event()
        self._published: PublishedEvents | None = None
        self._checks_inbox = True
        self._reads_database = True
        self._queue_due: datetime | None = None
        """When the next queued event is due, ``None`` if there is none."""
        self._is_idle = False
        self._unsettled: list[Delivery] = []
        self._settle_at = 0.0

    @property
    def position(self) -> int | None:
        """How far the consumer has come, once it is known."""
        return self._published.position if self._published else None

    def wake(self) -> None:
        """Look for events that this process published."""
        self._woken.set()

    def wake_for_others(self) -> None:
        """Look for events that other processes may have published or redelivered."""
        self._reads_database = True
        self._queue_due = utc_now()
        self._woken.set()

    async def run(self, on_progress: Callable[[], None]) -> None:
        """Deliver until cancelled, and call ``on_progress`` when the position has moved."""
        while True:
            self._woken.clear()
            started = time.monotonic()
            try:
                handled = await self._deliver_round()
                on_progress()
            except MovedError:
                self._published = None
                continue
            except Exception:  # noqa: BLE001  the task must survive any error; the database may recover
                _log.exception("event queue unavailable", consumer=self._subscription.consumer)
                self._published = None
                await self._wait(min(self._poll_interval, self._policy.outage_interval))
                continue
            if not handled:
                await self._wait_for_events()
            elif handled < BATCH:
                await asyncio.sleep(max(0.0, started + GATHER - time.monotonic()))

    async def _wait_for_events(self) -> None:
        pause = self._poll_interval
        if self._queue_due is not None:
            pause = min(pause, max(SHORTEST_PAUSE, (self._queue_due - utc_now()).total_seconds()))
        if not await self._wait(pause) and pause == self._poll_interval:
            self._is_idle = True
            self.wake_for_others()

    async def _wait(self, seconds: float) -> bool:
        """Return whether the task was woken."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                return await self._woken.wait()
        return False

    async def _deliver_round(self) -> int:
        """Deliver what is due, at most a batch of the queue and one of published events. Return how many were due."""
        published = self._published or await self._begin()
        if self._is_idle:
            self._is_idle = False
            await published.save(self._database)
        handled = 0
        if self._queue_due is not None and self._queue_due <= utc_now():
            handled = await self._deliver_queued()
        return max(handled, await self._deliver_published(published))

    async def _begin(self) -> PublishedEvents:
        consumer = self._subscription.consumer
        async with self._database.reading() as tx:
            position = await positions.position_of(tx, consumer)
            self._checks_inbox = await inbox.has_handled_any(tx, consumer)
        if position is None:
            async with self._database.transaction() as tx:
                await positions.register(tx, [consumer])
            return await self._begin()
        self._published = PublishedEvents(consumer, position, checks_inbox=self._checks_inbox)
        self._reads_database = True
        self._queue_due = utc_now()
        self._unsettled = []
        return self._published

    async def _deliver_queued(self) -> int:
        consumer = self._subscription.consumer
        self._queue_due = None  # a signal that comes while reading sets it again
        async with self._database.reading() as tx:
            due = await queue.due(tx, consumer, BATCH)
            self._look_at_queue(utc_now() if due else await queue.next_due(tx, consumer))
        if due:
            await self._deliver(QueuedEvents(consumer, checks_inbox=self._checks_inbox), due)
        return len(due)

    async def _deliver_published(self, published: PublishedEvents) -> int:
        deliveries, through = await self._next_published(published.position)
        if deliveries:
            published.begin(deliveries, await self._blocked(deliveries))
            await self._deliver(published, deliveries)
            if published.saved < deliveries[-1].position:
                published.position = deliveries[-1].position
                await published.save(self._database)
        published.position = max(published.position, through)
        if published.position - published.saved > SAVE_AFTER:
            await published.save(self._database)
        return len(deliveries)

    async def _next_published(self, position: int) -> tuple[list[Delivery], int]:
        """Return the next deliveries, and the position up to which these are all for this consumer."""
        recent = None if self._reads_database else self._recent.after(position, BATCH)
        while recent:
            deliveries = self._deliveries(recent, position)
            position += len(recent)
            if deliveries:
                return deliveries, position
            recent = self._recent.after(position, BATCH)
        if recent is not None:
            return [], position
        self._reads_database = False  # a signal that comes while reading sets it again
        async with self._database.reading() as tx:
            last = await positions.last_position(tx)
            rows = await positions.published_after(tx, position, self._subscription.event_types, BATCH)
        deliveries = [Delivery("", 0, event, number) for number, event in rows]
        if len(rows) < BATCH:
            return deliveries, last
        self._reads_database = True
        return deliveries, deliveries[-1].position

    def _deliveries(self, recent: Sequence[RecordedEvent], position: int) -> list[Delivery]:
        return [
            Delivery("", 0, event, number)
            for number, event in enumerate(recent, position + 1)
            if self._subscription.accepts(event.event_type)
        ]

    async def _blocked(self, deliveries: Sequence[Delivery]) -> set[str]:
        if self._queue_due is None:
            return set()
        async with self._database.reading() as tx:
            aggregates = {delivery.event.aggregate for delivery in deliveries}
            return await queue.blocked(tx, self._subscription.consumer, aggregates)

    async def _deliver(self, source: Source, deliveries: Sequence[Delivery]) -> None:
        left = list(deliveries)
        size = len(left)
        while left := [delivery for delivery in left if delivery.event.aggregate not in source.blocked]:
            # One that failed before would probably fail the whole batch again.
            fresh = list(takewhile(lambda delivery: not delivery.attempts, left[:size]))
            batch = fresh or left[:1]
            try:
                handled = await self._handle_as_batch(source, batch)
            except MovedError:
                raise
            except Exception as error:  # noqa: BLE001  any exception from a handler is a failure
                if len(batch) > 1:
                    size = 1 if isinstance(error, TimeoutError) else len(batch) // 2
                    continue
                await self._fail(source, batch[0], error)
                handled = 1
            if not handled:
                await self._handle_alone(source, batch[0])
            left = left[handled or 1 :]
            size = max(1, size * 2)
        await self._settle_outside(source)

    async def _handle_as_batch(self, source: Source, batch: Sequence[Delivery]) -> int:
        """Pass deliveries to the batch handler, and return how many it handled."""
        if self._subscription.batch_handler is None:
            return 0
        settled = False

        async def settle(tx: Transaction, events: Sequence[RecordedEvent]) -> Sequence[RecordedEvent]:
            nonlocal settled
            settled = True
            fresh = await source.settle(tx, [*self._unsettled, *batch[: len(events)]])
            return [event for event in fresh if event in events] if self._unsettled else fresh

        async with asyncio.timeout(self._policy.handler_timeout):
            handled = await self._subscription.batch_handler([delivery.event for delivery in batch], settle)
        done = batch[:handled]
        for delivery in done:
            self._outages.clear(delivery.event.id)
        if settled:
            source.settled(done)
            self._unsettled = []
        elif done:
            await self._settle_later(source, done)
        return handled

    async def _handle_alone(self, source: Source, delivery: Delivery) -> None:
        """Pass a delivery to the handler whose effect is outside the transaction that settles it."""
        try:
            async with asyncio.timeout(self._policy.handler_timeout):
                await self._subscription.handler(delivery.event)
        except Exception as error:  # noqa: BLE001  any exception from a handler is a failure
            await self._fail(source, delivery, error)
            return
        self._outages.clear(delivery.event.id)
        await self._settle_later(source, [delivery])

    async def _settle_later(self, source: Source, deliveries: Sequence[Delivery]) -> None:
        if not self._unsettled:
            self._settle_at = time.monotonic() + SETTLE_AFTER
        self._unsettled += deliveries
        if time.monotonic() >= self._settle_at:
            await self._settle_outside(source)

    async def _settle_outside(self, source: Source) -> None:
        """Settle what was handled outside a transaction."""
        if self._unsettled:
            async with self._database.transaction() as tx:
                await source.settle(tx, self._unsettled)
            source.settled(self._unsettled)
            self._unsettled = []

    async def _fail(self, source: Source, delivery: Delivery, error: Exception) -> None:
        failure = self._failure(delivery, error)
        await self._settle_outside(source)
        async with self._database.transaction() as tx:
            await source.fail(tx, delivery, failure)
        source.settled([delivery])
        if failure.next_attempt_at is not None:
            source.blocked.add(delivery.event.aggregate)
            self._look_at_queue(failure.next_attempt_at)

    def _look_at_queue(self, due: datetime | None) -> None:
        """Look for queued events at this time, or earlier if that is planned."""
        if due is not None:
            self._queue_due = min(self._queue_due, due) if self._queue_due else due

    def _failure(self, delivery: Delivery, error: Exception) -> Failure:
        event = delivery.event
        if self._outages.is_excused(event.id, event, error):
            retry_at = utc_now() + timedelta(seconds=self._policy.outage_interval)
            return Failure(describe(error), retry_at, counts=False)
        attempts = delivery.attempts + 1
        dead = attempts >= MAX_ATTEMPTS
        if dead:
            self._outages.clear(event.id)
        log_failure(self._subscription.consumer, event, attempts, error, dead=dead)
        delay = timedelta(seconds=self._policy.delay_after(attempts))
        return Failure(describe(error), None if dead else utc_now() + delay)
