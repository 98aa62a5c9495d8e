"""The relay: carries recorded facts from the outbox to the event bus.

It is woken when this process commits facts and looks by itself once a second besides. Pending rows go out oldest first;
only when the bus has taken a batch for good are its rows marked. Killed at any line, it publishes some rows once more
at worst, which consumers notice.

Where rows can be locked (PostgreSQL), claiming, publishing and marking are one transaction, so that relays side by side
share the work. With a single writer (SQLite) the bus writes to the same database and the relay must not hold the writer
meanwhile: it reads, publishes, then marks in a transaction of its own; one relay runs there.

When the bus fails, rows stay pending with their attempts counted, and the relay tries again after a growing pause.
What was published, and what consumers have handled, is deleted after a week.
"""

import asyncio
import contextlib
from datetime import timedelta

import structlog
from prometheus_client import Counter, Gauge

from metastore.kit import inbox, outbox
from metastore.kit.clock import utc_now
from metastore.kit.database import Database, Transaction
from metastore.kit.problem import Problem
from metastore.ports.event_bus import BusUnavailableError, EventBus

_log = structlog.get_logger(__name__)

LAG = Gauge("metastore_outbox_lag_seconds", "Age of the oldest fact that is not published yet.")
PENDING = Gauge("metastore_outbox_pending", "Facts that are not published yet.")
PUBLISHED = Counter("metastore_outbox_published_total", "Facts handed over to the event bus.")
FAILED = Counter("metastore_outbox_failed_total", "Facts that the event bus did not take when asked.")

BATCH = 200
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
            tasks.create_task(self._measure(), name="measure the outbox")
            tasks.create_task(self._prune(), name="prune outbox and inbox")

    async def measure(self) -> None:
        """Set the gauges of the backlog."""
        async with self._database.reading() as tx:
            pending, oldest = await outbox.backlog(tx)
        PENDING.set(pending)
        LAG.set((utc_now() - oldest).total_seconds() if oldest else 0)

    async def publish_batch(self) -> int:
        """Publish the oldest pending facts; how many there were.

        Raises:
            BusUnavailableError: the bus did not take them; they are still pending.
        """
        if self._database.single_writer:
            return await self._publish_then_mark()
        return await self._publish_in_transaction()

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
            if not published:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._poll_interval):
                        await self._woken.wait()

    async def _publish_then_mark(self) -> int:
        async with self._database.reading() as tx:
            events = await outbox.pending_events(tx, BATCH)
        if not events:
            return 0
        ids = [event.id for event in events]
        try:
            await self._bus.publish(events)
        except BusUnavailableError:
            FAILED.inc(len(events))
            async with self._database.transaction() as tx:
                await outbox.count_attempt(tx, ids)
            raise
        async with self._database.transaction() as tx:
            await outbox.mark_published(tx, ids)
        PUBLISHED.inc(len(events))
        return len(events)

    async def _publish_in_transaction(self) -> int:
        async with self._database.transaction() as tx:
            events = await outbox.pending_events(tx, BATCH)
            if not events:
                return 0
            failure = await self._try_to_publish(tx, events)
        if failure is not None:
            FAILED.inc(len(events))
            raise failure
        PUBLISHED.inc(len(events))
        return len(events)

    async def _try_to_publish(self, tx: Transaction, events: list[outbox.RecordedEvent]) -> BusUnavailableError | None:
        ids = [event.id for event in events]
        try:
            await self._bus.publish(events)
        except BusUnavailableError as error:
            await outbox.count_attempt(tx, ids)
            return error
        await outbox.mark_published(tx, ids)
        return None

    async def _measure(self) -> None:
        while True:
            # A database that is away shows elsewhere; the gauges keep what was last seen.
            with contextlib.suppress(Problem):
                await self.measure()
            await asyncio.sleep(MEASURE_EVERY)

    async def _prune(self) -> None:
        while True:
            await asyncio.sleep(PRUNE_EVERY)
            try:
                await self.prune()
            except Exception:  # noqa: BLE001  tried again in the next round
                _log.exception("old outbox and inbox rows cannot be deleted")
