"""In-process event bus: the outbox itself is the log of published events.

Publishing gives the events of a batch the next positions, in one transaction (``kit.events.positions``). Each consumer
runs in its own task, which handles what follows its position in batches and moves the position in the transaction of
the effect. There are no rows for events that succeed: only failed events, and those that wait behind them, are queued.

Publishing wakes the tasks through memory, and those of other processes on PostgreSQL through a notification. A slow
poll finds what was published without either.

If two processes run the same consumer, each event still takes effect once and in order: the one that comes second finds
the position moved. Effects outside the database may then be repeated.
"""

import asyncio
from collections.abc import Sequence

from metastore.adapters.event_bus.inprocess import queue
from metastore.adapters.event_bus.inprocess.consumer_task import ConsumerTask
from metastore.adapters.event_bus.inprocess.recent_events import RecentEvents
from metastore.adapters.event_bus.outages import RETRY_INTERVAL
from metastore.adapters.event_bus.retries import RetryPolicy
from metastore.kit.database import notifications
from metastore.kit.database.notifications import Notifier
from metastore.kit.database.unit_of_work import Database
from metastore.kit.events import positions
from metastore.kit.events.outbox import RecordedEvent
from metastore.kit.problems.problem import Problem
from metastore.ports.event_bus import BACKOFF, BusUnavailableError, DeadEvent, Subscription, select_subscriptions

CHANNEL = "metastore_published"
"""What is notified when events were published or redelivered, for consumers in other processes."""

POLL = 30.0
POLL_ALONE = 300.0
"""On SQLite, only this process publishes, and its memory loses no signal. A poll wakes every consumer's connection."""


class InProcessBus:
    """``EventBus`` on the tables of ``database``. All durations are in seconds.

    ``backoff`` lists the delays between attempts; the last one repeats. A handler that runs longer than
    ``handler_timeout`` counts as failed. ``outage_interval`` is the delay between retries during an outage (see
    ``outages``), ``poll_interval`` the delay between checks of an idle consumer, by default ``POLL`` or ``POLL_ALONE``.
    """

    def __init__(
        self,
        database: Database,
        *,
        backoff: Sequence[float] = BACKOFF,
        handler_timeout: float = 120.0,
        outage_interval: float = RETRY_INTERVAL,
        poll_interval: float | None = None,
    ) -> None:
        self._database = database
        self._policy = RetryPolicy(backoff, handler_timeout, outage_interval)
        default = POLL_ALONE if database.single_writer else POLL
        self._poll_interval = default if poll_interval is None else poll_interval
        self._recent = RecentEvents()
        self._subscriptions: list[Subscription] = []
        self._tasks: dict[str, ConsumerTask] = {}
        self._are_registered = False
        self._notifier = Notifier(database, CHANNEL)

    @property
    def marks_published(self) -> bool:
        """Publishing marks the events in the outbox."""
        return True

    @property
    def subscriptions(self) -> Sequence[Subscription]:
        """The registered consumers."""
        return tuple(self._subscriptions)

    def subscribe(self, subscription: Subscription) -> None:
        """Register a consumer.

        Raises:
            ValueError: a consumer of that name is already registered.
        """
        if subscription.consumer in {known.consumer for known in self._subscriptions}:
            raise ValueError(f"consumer {subscription.consumer} is already subscribed")
        self._subscriptions.append(subscription)

    async def publish(self, events: Sequence[RecordedEvent]) -> None:
        """Give the events the next positions in one transaction."""
        if not events:
            return
        try:
            async with self._database.transaction() as tx:
                if not self._are_registered:
                    await positions.register(tx, [subscription.consumer for subscription in self._subscriptions])
                before, complete = await positions.publish(tx, events)
        except Problem as problem:
            raise BusUnavailableError(problem.detail) from problem
        self._are_registered = True
        if self._tasks and complete:
            self._recent.add(before, events)
        for task in self._tasks.values():
            if complete:
                task.wake()
            else:
                task.wake_for_others()
        self._notifier.notify()

    async def run(self, only: frozenset[str] | None = None) -> None:
        """Deliver events until cancelled."""
        served = select_subscriptions(self._subscriptions, only)
        self._tasks = {subscription.consumer: self._new_task(subscription) for subscription in served}
        try:
            async with asyncio.TaskGroup() as tasks:
                for consumer, task in self._tasks.items():
                    tasks.create_task(task.run(self._forget_handled), name=f"consumer {consumer}")
                tasks.create_task(self._listen(), name="listen for published events")
                await asyncio.Event().wait()
        finally:
            self._tasks = {}

    async def dead_events(self, *, limit: int, before: str | None = None) -> list[DeadEvent]:
        """Return dead events, most recently queued first."""
        async with self._database.reading() as tx:
            return await queue.dead(tx, limit, before)

    async def redeliver(self, dead_id: str) -> bool:
        """Return a dead event to its queue with a fresh set of attempts."""
        async with self._database.transaction() as tx:
            consumer = await queue.requeue_dead(tx, dead_id)
        if consumer in self._tasks:
            self._tasks[consumer].wake_for_others()
        self._notifier.notify()
        return consumer is not None

    async def check(self) -> None:
        """Check the database, which is all that the bus depends on."""
        try:
            await self._database.check()
        except Problem as problem:
            raise BusUnavailableError(problem.detail) from problem

    async def aclose(self) -> None:
        """Do nothing; the database belongs to the caller."""

    def _new_task(self, subscription: Subscription) -> ConsumerTask:
        return ConsumerTask(self._database, subscription, self._recent, self._policy, self._poll_interval)

    def _forget_handled(self) -> None:
        handled = [task.position for task in self._tasks.values()]
        self._recent.forget(min((position for position in handled if position is not None), default=0))

    async def _listen(self) -> None:
        def wake() -> None:
            for task in self._tasks.values():
                task.wake_for_others()

        await notifications.listen(self._database, CHANNEL, wake, except_of=self._notifier)
