"""The relay: carries recorded facts from the outbox to the event bus.

It is woken when this process commits facts, and on PostgreSQL when another one does (``kit.outbox_signal``), and looks
by itself once a second besides. Pending rows go out oldest first; only what the bus has taken for good is marked.
Killed at any line, it publishes some rows once more at worst, which consumers notice.

Where rows can be locked (PostgreSQL), claiming, publishing and marking are one transaction, so that relays side by side
share the work. With a single writer (SQLite) the bus writes to the same database and the relay must not hold the writer
meanwhile: it reads, publishes, then marks in a transaction of its own; one relay runs there.

When the bus fails, rows stay pending with their attempts counted, and the relay tries again after a growing pause. When
the bus refuses single events (no queue takes their type), those are set back for a moment and the others go on.
What was published, and what consumers have handled, is deleted after a week.
"""

import asyncio
import contextlib
from datetime import timedelta

import structlog
from prometheus_client import Counter, Gauge, Histogram

from metastore.kit import inbox, outbox, outbox_signal
from metastore.kit.clock import utc_now
from metastore.kit.database import Database, Transaction
from metastore.kit.problem import Problem
from metastore.ports.event_bus import BusUnavailableError, EventBus

_log = structlog.get_logger(__name__)

LAG = Gauge("metastore_outbox_lag_seconds", "Age of the oldest fact that is not published yet.")
PENDING = Gauge("metastore_outbox_pending", "Facts that are not published yet.")
DELAY = Histogram(
    "metastore_outbox_delay_seconds",
    "From the recording of a fact to its publishing.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 300, 3600),
)
PUBLISHED = Counter("metastore_outbox_published_total", "Facts handed over to the event bus.")
FAILED = Counter("metastore_outbox_failed_total", "Facts that the event bus did not take when asked.")

BATCH = 500
RETRY_REFUSED_AFTER = timedelta(seconds=2)
GATHER = 0.015
"""Seconds that a relay beside others lets facts gather: a round costs the database the same, however many they are."""
LOOK_AGAIN = 0.1
"""Seconds after which it looks for facts that it had to leave, since another relay held an earlier one."""
LONGEST_PAUSE = 3.0
MEASURE_EVERY = 5.0
KEEP = timedelta(days=7)
PRUNE_EVERY = 600.0
PRUNE_BATCH = 1000


class Relay:
    """Publishes what ``database`` has in its outbox on ``bus``; times are in seconds."""

    def __init__(
        self, database: Database, bus: EventBus, *, poll_interval: float = 1.0, keep: timedelta = KEEP
    ) -> None:
        self._database = database
        self._bus = bus
        self._poll_interval = poll_interval
        self._keep = keep
        self._woken = asyncio.Event()
        database.on_recorded(self._woken.set)

    async def run(self) -> None:
        """Relay and prune until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._relay(), name="relay")
            if not self._database.single_writer:
                listening = outbox_signal.listen(self._database, self._woken.set)
                tasks.create_task(listening, name="listen for facts")
            tasks.create_task(self._measure(), name="measure the outbox")
            tasks.create_task(self._prune(), name="prune outbox and inbox")

    async def measure(self) -> None:
        """Set the gauges of the backlog."""
        async with self._database.reading() as tx:
            pending, oldest = await outbox.backlog(tx)
        PENDING.set(pending)
        LAG.set((utc_now() - oldest).total_seconds() if oldest else 0)

    async def publish_batch(self) -> int:
        """Publish the oldest pending facts; how many the bus took or refused one by one.

        Raises:
            BusUnavailableError: the bus failed; what it did not take is still pending.
        """
        if self._database.single_writer:
            async with self._database.reading() as tx:
                events = await outbox.pending_events(tx, BATCH)
            failure = await self._try_to_publish(events)
            if events:
                async with self._database.transaction() as tx:
                    await _note(tx, events, failure)
        else:
            async with self._database.transaction() as tx:
                events = await outbox.pending_events(tx, BATCH)
                failure = await self._try_to_publish(events)
                if events:
                    await _note(tx, events, failure)
        _count(events, failure)
        if failure is not None:
            if len(failure.taken) + len(failure.refused) < len(events):
                raise failure
            _log.warning("facts were refused", error=str(failure))
        return len(events)

    async def prune(self) -> None:
        """Delete what was published or handled longer ago than it is kept, in short transactions."""
        before = utc_now() - self._keep
        for delete in (outbox.prune, inbox.prune):
            deleted = PRUNE_BATCH
            while deleted == PRUNE_BATCH:
                async with self._database.transaction() as tx:
                    deleted = await delete(tx, before, PRUNE_BATCH)

    async def _relay(self) -> None:
        failures = 0
        while True:
            self._woken.clear()
            try:
                published = await self.publish_batch()
                failures = 0
            except Exception as error:  # noqa: BLE001  the relay must outlive any fault of bus and database
                failures += 1
                _log.warning("facts cannot be published", failures_in_a_row=failures, error=repr(error))
                await asyncio.sleep(min(LONGEST_PAUSE, 0.1 * 2**failures))
                continue
            if published < BATCH:
                await self._wait(LOOK_AGAIN if published else self._poll_interval)

    async def _wait(self, longest: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(longest):
                await self._woken.wait()
            if not self._database.single_writer:
                await asyncio.sleep(GATHER)

    async def _try_to_publish(self, events: list[outbox.RecordedEvent]) -> BusUnavailableError | None:
        try:
            if events:
                await self._bus.publish(events)
        except BusUnavailableError as error:
            return error
        return None

    async def _measure(self) -> None:
        while True:
            try:
                await self.measure()
            except Problem:
                pass  # a database that is away shows elsewhere; the gauges keep what was last seen
            except Exception:  # noqa: BLE001  relaying must not end with the measuring
                _log.exception("the outbox cannot be measured")
            await asyncio.sleep(MEASURE_EVERY)

    async def _prune(self) -> None:
        while True:
            await asyncio.sleep(PRUNE_EVERY)
            try:
                await self.prune()
            except Exception:  # noqa: BLE001  tried again in the next round
                _log.exception("old outbox and inbox rows cannot be deleted")


async def _note(tx: Transaction, events: list[outbox.RecordedEvent], failure: BusUnavailableError | None) -> None:
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
