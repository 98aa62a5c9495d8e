"""The event bus of a product in one process: durable queues in its own database.

Publishing is one transaction that queues the events for every consumer that wants them. Each consumer works through
its queue in a task of its own, one event at a time, so that order holds; it is woken in memory when something is
published, with polling as the net.

Commits are few, since each waits for the disk: consumers may handle several events as one (``Subscription.together``;
one by one when one of them fails), and a batch is then settled (removed, or its failures noted) in one transaction.
When the process dies in between, the batch is delivered again, which consumers expect.

Known limit: two processes must not run the same queues at once. Effects would still happen once each, but order could
be lost.
"""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from datetime import timedelta
from itertools import takewhile

import structlog

from metastore.adapters.event_bus import queue
from metastore.adapters.event_bus.outages import TRY_EVERY, Outages
from metastore.adapters.event_bus.queue import Delivery, Failure
from metastore.kit.clock import utc_now
from metastore.kit.database import Database
from metastore.kit.outbox import RecordedEvent
from metastore.kit.problem import Problem
from metastore.ports.event_bus import MAX_ATTEMPTS, PAUSES, BusUnavailableError, DeadEvent, Subscription, chosen

_log = structlog.get_logger(__name__)

BATCH = 50
SETTLE_AFTER = 0.1
"""Seconds after which what is handled so far is settled within a batch: so much is repeated after a kill at most."""
ERROR_LENGTH = 2000


class InProcessBus:
    """Implements ``EventBus`` on ``database``.

    ``pauses`` are the seconds between tries (the last one repeats), ``patience`` the seconds after which a handler that
    has not returned counts as failed, ``outage`` the seconds after a failure that is none of the event's fault
    (``outages``), ``poll_interval`` those between looks at a queue that nobody woke.
    """

    def __init__(
        self,
        database: Database,
        *,
        pauses: Sequence[float] = PAUSES,
        patience: float = 120.0,
        outage: float = TRY_EVERY,
        poll_interval: float = 2.0,
    ) -> None:
        self._database = database
        self._pauses = pauses
        self._patience = patience
        self._outage = outage
        self._poll_interval = poll_interval
        self._subscriptions: list[Subscription] = []
        self._woken: dict[str, asyncio.Event] = {}
        self._outages: dict[str, Outages] = {}

    @property
    def subscriptions(self) -> Sequence[Subscription]:
        """The consumers that are registered."""
        return tuple(self._subscriptions)

    def subscribe(self, subscription: Subscription) -> None:
        """Register a consumer.

        Raises:
            ValueError: there is one of that name.
        """
        if subscription.consumer in self._woken:
            raise ValueError(f"the consumer {subscription.consumer} is subscribed twice")
        self._subscriptions.append(subscription)
        self._woken[subscription.consumer] = asyncio.Event()
        self._outages[subscription.consumer] = Outages(subscription.consumer)

    async def publish(self, events: Sequence[RecordedEvent]) -> None:
        """Queue the events in one transaction."""
        wanted = [(s.consumer, event) for event in events for s in self._subscriptions if s.wants(event.event_type)]
        if not wanted:
            return
        try:
            async with self._database.transaction() as tx:
                await queue.enqueue(tx, wanted)
        except Problem as problem:
            raise BusUnavailableError(problem.detail) from problem
        for consumer in {consumer for consumer, _ in wanted}:
            self._woken[consumer].set()

    async def run(self, only: frozenset[str] | None = None) -> None:
        """Serve the queues until cancelled."""
        served = chosen(self._subscriptions, only)
        async with asyncio.TaskGroup() as tasks:
            for subscription in served:
                tasks.create_task(self._serve(subscription), name=f"consumer {subscription.consumer}")
            await asyncio.Event().wait()

    async def dead_events(self, *, limit: int, before: str | None = None) -> list[DeadEvent]:
        """Dead events, latest queued first."""
        async with self._database.reading() as tx:
            return await queue.dead(tx, limit, before)

    async def redeliver(self, dead_id: str) -> bool:
        """Put a dead event back into its queue."""
        async with self._database.transaction() as tx:
            consumer = await queue.revive(tx, dead_id)
        if consumer in self._woken:
            self._woken[consumer].set()
        return consumer is not None

    async def check(self) -> None:
        """The bus is as well as its database."""
        try:
            await self._database.check()
        except Problem as problem:
            raise BusUnavailableError(problem.detail) from problem

    async def aclose(self) -> None:
        """Nothing to release: the database is its owner's."""

    async def _serve(self, subscription: Subscription) -> None:
        woken = self._woken[subscription.consumer]
        while True:
            woken.clear()
            try:
                pause = await self._work_off(subscription)
            except Exception:  # noqa: BLE001  the queue must outlive any fault, and the database may come back
                _log.exception("a queue cannot be served", consumer=subscription.consumer)
                pause = self._poll_interval
            if pause:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await woken.wait()

    async def _work_off(self, subscription: Subscription) -> float:
        """Deliver one batch; seconds to rest before the next, if nobody wakes us."""
        async with self._database.reading() as tx:
            batch = await queue.due(tx, subscription.consumer, BATCH)
            again = None if batch else await queue.next_due(tx, subscription.consumer)
        if batch:
            await self._deliver(subscription, batch)
            return 0
        if again is None:
            return self._poll_interval
        return min(self._poll_interval, max(0.01, (again - utc_now()).total_seconds()))

    async def _deliver(self, subscription: Subscription, batch: list[Delivery]) -> None:
        handled: list[str] = []
        failed: dict[str, Failure] = {}
        held_up: set[str] = set()
        settle_at = time.monotonic() + SETTLE_AFTER
        together = await self._hand_over_together(subscription, batch)
        handled += [delivery.id for delivery in batch[:together]]
        for delivery in batch[together:]:
            if delivery.event.aggregate in held_up:
                continue
            failure = await self._hand_over(subscription, delivery)
            if failure is None:
                handled.append(delivery.id)
            else:
                failed[delivery.id] = failure
                if failure.next_attempt_at is not None:
                    held_up.add(delivery.event.aggregate)
            if time.monotonic() >= settle_at:
                await self._settle(handled, failed)
                handled, failed = [], {}
                settle_at = time.monotonic() + SETTLE_AFTER
        await self._settle(handled, failed)

    async def _settle(self, handled: list[str], failed: dict[str, Failure]) -> None:
        if handled or failed:
            async with self._database.transaction() as tx:
                await queue.settle(tx, handled, failed)

    async def _hand_over_together(self, subscription: Subscription, batch: Sequence[Delivery]) -> int:
        """Have as many of the batch handled as one as can be; how many, 0 when one of them failed."""
        handled = 0
        # Those that have failed before would only drag the others down again.
        fresh = list(takewhile(lambda delivery: not delivery.attempts, batch))
        while subscription.together is not None and handled < len(fresh):
            try:
                async with asyncio.timeout(self._patience):
                    more = await subscription.together([delivery.event for delivery in fresh[handled:]])
            except Exception as error:  # noqa: BLE001  each by itself will tell whose fault it is
                _log.debug("events are handled one by one", consumer=subscription.consumer, error=_in_words(error))
                break
            if not more:
                break
            handled += more
        for delivery in batch[:handled]:
            self._outages[subscription.consumer].over(delivery.id)
        return handled

    async def _hand_over(self, subscription: Subscription, delivery: Delivery) -> Failure | None:
        outages = self._outages[subscription.consumer]
        try:
            async with asyncio.timeout(self._patience):
                await subscription.handler(delivery.event)
        except Exception as error:  # noqa: BLE001  whatever a handler raises is a failure
            if outages.excuse(delivery.id, delivery.event, error):
                again = utc_now() + timedelta(seconds=self._outage)
                return Failure(_in_words(error), again, is_try=False)
            attempts = delivery.attempts + 1
            dead = attempts >= MAX_ATTEMPTS
            if dead:
                outages.over(delivery.id)
            _log.warning(
                "an event failed",
                consumer=subscription.consumer,
                event_type=delivery.event.event_type,
                event_id=delivery.event.id,
                attempts=attempts,
                dead=dead,
                error=_in_words(error),
                # Once an event: where hundreds fail, writing down tracebacks is most of the work, and of the log.
                exc_info=error if dead else None,
            )
            return Failure(_in_words(error), None if dead else utc_now() + self._pause_after(attempts))
        outages.over(delivery.id)
        return None

    def _pause_after(self, attempts: int) -> timedelta:
        return timedelta(seconds=self._pauses[min(attempts, len(self._pauses)) - 1])


def _in_words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:ERROR_LENGTH]
