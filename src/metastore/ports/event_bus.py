"""Durable delivery of events to consumers.

When ``publish`` returns, every consumer subscribed to an event's type will get the event, even if all processes are
killed immediately. Delivery is at least once: a consumer may get an event again and must recognize it by its id
(``kit.events.inbox``). A consumer gets the events of one aggregate in the order of publication, as long as none of them
fails.

Every process subscribes all consumers, including those that it does not run. So a relay declares the queues of all, and
events published before a worker's first start wait for it. ``run`` selects the consumers to run.

When a handler raises, the event is retried with back-off. After ``MAX_ATTEMPTS`` attempts the event is *dead*: it is
moved to the dead-letter queue with its error, where an admin can redeliver it. Other events continue. Failures caused
by an outage (a 503 or 507 ``Problem``, an unavailable object store) are retried soon and do not count as attempts.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from metastore.kit.database.unit_of_work import Transaction
from metastore.kit.events.outbox import RecordedEvent

MAX_ATTEMPTS = 5
BACKOFF = (0.5, 2.0, 8.0, 20.0)
"""Seconds between attempts. Half a minute in total, because failing events occupy the consumer's prefetch window."""

Handler = Callable[[RecordedEvent], Awaitable[None]]


class Settle(Protocol):
    """Records in a transaction that the events take effect in it."""

    async def __call__(self, tx: Transaction, events: Sequence[RecordedEvent]) -> Sequence[RecordedEvent]:
        """Record it and return those of the events, in order, that have not taken effect before."""
        ...


BatchHandler = Callable[[Sequence[RecordedEvent], Settle | None], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Subscription:
    """A named consumer with its event types (empty means all) and its handler.

    A bus that has events for the consumer may call ``batch_handler``, which handles the first few of them in one
    transaction. It returns how many it handled; 0 means that the first one has to be passed to ``handler``. When it
    raises, none of them has taken effect.

    What proves that an event has taken effect is up to the bus. One that shares the database of the effects passes
    ``settle``, which the batch handler calls first in its transaction, with the events that it is about to handle.
    Without it, the batch handler keeps that record in the inbox (``kit.events.inbox``).
    """

    consumer: str
    event_types: frozenset[str]
    handler: Handler
    batch_handler: BatchHandler | None = None

    def accepts(self, event_type: str) -> bool:
        """Return whether the consumer handles events of this type."""
        return not self.event_types or event_type in self.event_types


@dataclass(frozen=True, slots=True)
class DeadEvent:
    """An event that a consumer has failed to handle ``MAX_ATTEMPTS`` times."""

    id: str
    consumer: str
    event: RecordedEvent
    attempts: int
    error: str
    died_at: datetime


def select_subscriptions(subscriptions: Sequence[Subscription], only: frozenset[str] | None) -> list[Subscription]:
    """Return the subscriptions for ``EventBus.run``.

    Raises:
        ValueError: ``only`` names a consumer that is not subscribed.
    """
    unknown = sorted((only or frozenset()) - {subscription.consumer for subscription in subscriptions})
    if unknown:
        raise ValueError(f"there is no consumer named {unknown[0]}")
    return [subscription for subscription in subscriptions if only is None or subscription.consumer in only]


class EventBus(Protocol):
    """An event bus. The module's docstring is the contract."""

    @property
    def subscriptions(self) -> Sequence[Subscription]:
        """The registered consumers."""
        ...

    @property
    def marks_published(self) -> bool:
        """Whether ``publish`` marks the events as published in the outbox, which the bus shares with the relay.

        If so, the relay must not hold a transaction while it publishes, and need not mark the events.
        """
        ...

    def subscribe(self, subscription: Subscription) -> None:
        """Register a consumer. Call it before ``run`` and before the first ``publish``."""
        ...

    async def publish(self, events: Sequence[RecordedEvent]) -> None:
        """Publish events durably, in order.

        Raises:
            BusUnavailableError: some events were not confirmed. Publish all but the confirmed ones again.
        """
        ...

    async def run(self, only: frozenset[str] | None = None) -> None:
        """Deliver events to the subscribed consumers, or to those named in ``only``, until cancelled.

        Raises:
            ValueError: no consumer of one of these names is subscribed.
        """
        ...

    async def dead_events(self, *, limit: int, before: str | None = None) -> list[DeadEvent]:
        """Return up to ``limit`` dead events, latest first. With ``before``, only those after this id in that order.

        A bus may only consider the oldest few thousand of each consumer.
        """
        ...

    async def redeliver(self, dead_id: str) -> bool:
        """Deliver a dead event again with all its attempts. Return ``False`` when there is no such dead event."""
        ...

    async def check(self) -> None:
        """Return when the bus can accept events.

        Raises:
            BusUnavailableError: it cannot.
        """
        ...

    async def aclose(self) -> None:
        """Release connections."""
        ...


class BusUnavailableError(Exception):
    """The bus did not confirm all events.

    ``taken`` are the ids of the events that it did confirm and that need not be published again. ``refused`` are the
    ids of events that it rejected individually, so publishing others may still succeed.
    """

    def __init__(
        self, message: str, *, taken: frozenset[str] = frozenset(), refused: frozenset[str] = frozenset()
    ) -> None:
        super().__init__(message)
        self.taken = taken
        self.refused = refused
