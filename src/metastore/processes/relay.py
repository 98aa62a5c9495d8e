"""The relay: publishes events from the outbox on the event bus.

It wakes up when this process commits events, on PostgreSQL also when another process does
(``kit.events.outbox_signal``), and when an event that the bus refused is due again. A slow poll finds what was recorded
without a signal. Pending events are published oldest first and marked only when the bus has confirmed them. A crash at
any point publishes some events again at worst, which consumers recognize.

Selecting, publishing and marking are one transaction with row locks, so several relays share the work. A bus that
shares the database marks the events itself when it publishes them (``EventBus.marks_published``), in a transaction of
its own. Only a bus without a broker does so.

When the bus fails, events stay pending with their attempts counted, and the relay retries with back-off. When the bus
refuses single events (no queue accepts their type), those are deferred and the others continue. Published events and
inbox entries are deleted after a week, unless a consumer has yet to handle them.
"""

import asyncio
import contextlib
import time
from datetime import timedelta

import structlog
from prometheus_client import Counter, Gauge, Histogram

from metastore.kit.clock import utc_now
from metastore.kit.database.unit_of_work import Database, Transaction
from metastore.kit.events import inbox, outbox, outbox_signal, positions
from metastore.kit.problems.problem import Problem
from metastore.kit.waiting import backoff
from metastore.ports.event_bus import BusUnavailableError, EventBus

_log = structlog.get_logger(__name__)

LAG = Gauge("metastore_outbox_lag_seconds", "Age of the oldest event that is not published yet.")
PENDING = Gauge("metastore_outbox_pending", "Events that are not published yet.")
DELAY = Histogram(
    "metastore_outbox_delay_seconds",
    "Time between recording and publishing an event.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 300, 3600),
)
PUBLISHED = Counter("metastore_outbox_published_total", "Events published on the event bus.")
FAILED = Counter("metastore_outbox_failed_total", "Attempts to publish an event that failed.")

BATCH = 500
RETRY_REFUSED_AFTER = timedelta(seconds=2)
GATHER = 0.015
"""Seconds to wait for more events on PostgreSQL. A round costs the database the same for any number of events."""
SPACING = 0.05
"""Seconds from one round to the next on a bus that shares the database, where a round costs the process the same."""
POLL_AFTER_BATCH = 0.1
"""Seconds before the next poll after a batch. Events may have been left out that follow one locked by another relay."""
MAX_BACKOFF = 3.0
MEASURE_EVERY = 5.0
KEEP = timedelta(days=7)
PRUNE_EVERY = 600.0
PRUNE_BATCH = 1000


class Relay:
    """Publishes the outbox of ``database`` on ``bus``. ``poll_interval`` is in seconds."""

    def __init__(
        self, database: Database, bus: EventBus, *, poll_interval: float = 30.0, keep: timedelta = KEEP
    ) -> None:
        self._database = database
        self._bus = bus
        self._poll_interval = poll_interval
        self._keep = keep
        self._woken = asyncio.Event()
        self._unmeasured = asyncio.Event()
        database.on_recorded(self._wake)

    async def run(self) -> None:
        """Relay and prune until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._relay(), name="relay")
            if not self._database.single_writer:
                listening = outbox_signal.listen(self._database, self._wake)
                tasks.create_task(listening, name="listen for events")
            tasks.create_task(self._measure(), name="measure the outbox")
            tasks.create_task(self._prune(), name="prune outbox and inbox")

    async def measure(self) -> int:
        """Update the metrics of the backlog. Return the number of pending events."""
        async with self._database.reading() as tx:
            pending, oldest = await outbox.backlog(tx)
        PENDING.set(pending)
        LAG.set((utc_now() - oldest).total_seconds() if oldest else 0)
        return pending

    async def publish_batch(self) -> int:
        """Publish the oldest pending events. Return how many the bus confirmed or refused individually.

        Raises:
            BusUnavailableError: the bus failed; unconfirmed events are still pending.
        """
        if self._bus.marks_published or self._database.single_writer:
            async with self._database.reading() as tx:
                events = await outbox.pending_events(tx, BATCH)
            failure = await self._publish(events)
            if events and (failure or not self._bus.marks_published):
                async with self._database.transaction() as tx:
                    await _record_result(tx, events, failure)
        else:
            async with self._database.transaction() as tx:
                events = await outbox.pending_events(tx, BATCH)
                failure = await self._publish(events)
                if events:
                    await _record_result(tx, events, failure)
        _count(events, failure)
        if failure is not None:
            if len(failure.taken) + len(failure.refused) < len(events):
                raise failure
            _log.warning("the bus refused events", error=str(failure))
        return len(events)

    async def prune(self) -> None:
        """Delete published events and inbox entries older than ``keep``, in short transactions."""
        before = utc_now() - self._keep
        consumers = [subscription.consumer for subscription in self._bus.subscriptions]
        async with self._database.reading() as tx:
            handled = await positions.slowest_position(tx, consumers)

        async def prune_outbox(tx: Transaction) -> int:
            return await outbox.prune(tx, before, PRUNE_BATCH, keep_after=handled)

        async def prune_inbox(tx: Transaction) -> int:
            return await inbox.prune(tx, before, PRUNE_BATCH)

        for delete in (prune_outbox, prune_inbox):
            deleted = PRUNE_BATCH
            while deleted == PRUNE_BATCH:
                async with self._database.transaction() as tx:
                    deleted = await delete(tx)

    def _wake(self) -> None:
        self._woken.set()
        self._unmeasured.set()

    async def _relay(self) -> None:
        failures = 0
        while True:
            self._woken.clear()
            started = time.monotonic()
            try:
                published = await self.publish_batch()
                pause = await self._pause_after(published)
                failures = 0
            except Exception as error:  # noqa: BLE001  the relay must survive any failure of bus and database
                failures += 1
                _log.warning("cannot publish events", failures_in_a_row=failures, error=repr(error))
                await asyncio.sleep(backoff(failures, MAX_BACKOFF))
                continue
            if published < BATCH:
                if published and self._bus.marks_published:
                    await asyncio.sleep(max(0.0, started + SPACING - time.monotonic()))
                await self._wait(pause)

    async def _pause_after(self, published: int) -> float:
        """Return the longest time until the next round, which a signal may start earlier."""
        if published:
            return self._poll_interval if self._bus.marks_published else min(POLL_AFTER_BATCH, self._poll_interval)
        async with self._database.reading() as tx:
            retry_at = await outbox.next_retry(tx)
        if retry_at is None:
            return self._poll_interval
        return min(self._poll_interval, max(POLL_AFTER_BATCH, (retry_at - utc_now()).total_seconds()))

    async def _wait(self, longest: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(longest):
                await self._woken.wait()
            if not self._database.single_writer:
                await asyncio.sleep(GATHER)

    async def _publish(self, events: list[outbox.RecordedEvent]) -> BusUnavailableError | None:
        try:
            if events:
                await self._bus.publish(events)
        except BusUnavailableError as error:
            return error
        return None

    async def _measure(self) -> None:
        """Measure while events are pending, and after each signal that some were recorded."""
        while True:
            self._unmeasured.clear()
            pending = 1
            try:
                pending = await self.measure()
            except Problem:
                pass  # an outage is reported elsewhere; the gauges keep their values
            except Exception:  # noqa: BLE001  relaying must continue
                _log.exception("cannot measure the outbox")
            await asyncio.sleep(MEASURE_EVERY)
            if not pending:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._poll_interval):
                        await self._unmeasured.wait()

    async def _prune(self) -> None:
        while True:
            await asyncio.sleep(PRUNE_EVERY)
            try:
                await self.prune()
            except Exception:  # noqa: BLE001  retried in the next round
                _log.exception("cannot delete old outbox and inbox rows")


async def _record_result(
    tx: Transaction, events: list[outbox.RecordedEvent], failure: BusUnavailableError | None
) -> None:
    taken = [event.id for event in events if failure is None or event.id in failure.taken]
    if taken:
        await outbox.mark_published(tx, taken)
    if failure is None:
        return
    if failure.refused:
        await outbox.count_attempt(tx, sorted(failure.refused), utc_now() + RETRY_REFUSED_AFTER)
    left = [event.id for event in events if event.id not in failure.taken | failure.refused]
    if left:
        await outbox.count_attempt(tx, left)


def _count(events: list[outbox.RecordedEvent], failure: BusUnavailableError | None) -> None:
    now = utc_now()
    taken = [event for event in events if failure is None or event.id in failure.taken]
    PUBLISHED.inc(len(taken))
    FAILED.inc(len(events) - len(taken))
    for event in taken:
        DELAY.observe((now - event.created_at).total_seconds())
