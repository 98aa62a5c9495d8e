"""Durable delivery of recorded facts to consumers.

``publish`` returns only when every consumer that is subscribed to an event's type will get it even if all processes
are killed in the next moment. Delivery is at least once: a consumer may see an event again and must drop it by its id
(``kit.inbox``). Events of one aggregate reach a consumer in the order in which they were published, as long as none
of them fails.

Every process subscribes all consumers, also those that it does not run: a relay declares their queues so that what is
published before a worker's first start waits for it. ``run`` chooses.

A handler that raises is tried again with a growing pause; after ``MAX_ATTEMPTS`` tries the event is *dead*: set aside
with its error, holding up nobody, until an admin has it redelivered. A handler that raises because something else is
away (a 503 or 507 ``Problem``, an object store that does not answer) is tried again soon, and that does not count.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from metastore.kit.outbox import RecordedEvent

MAX_ATTEMPTS = 5
PAUSES = (0.5, 2.0, 8.0, 20.0)
"""Seconds between tries. Half a minute in all: what fails takes room from what a consumer may hold meanwhile."""

Handler = Callable[[RecordedEvent], Awaitable[None]]
Together = Callable[[Sequence[RecordedEvent]], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Subscription:
    """A consumer by name, the event types it wants (empty: all of them), and what it does with each.

    A bus that has several events for it may call ``together`` instead, which handles the first few as one: it returns
    how many, 0 when they must be handled one by one, and when it raises none of them has had its effect.
    """

    consumer: str
    event_types: frozenset[str]
    handler: Handler
    together: Together | None = None

    def wants(self, event_type: str) -> bool:
        """Whether events of this type are for this consumer."""
        return not self.event_types or event_type in self.event_types


@dataclass(frozen=True, slots=True)
class DeadEvent:
    """An event that a consumer failed on too often."""

    id: str
    consumer: str
    event: RecordedEvent
    attempts: int
    error: str
    died_at: datetime


def chosen(subscriptions: Sequence[Subscription], only: frozenset[str] | None) -> list[Subscription]:
    """The subscriptions that ``EventBus.run`` serves.

    Raises:
        ValueError: ``only`` names a consumer that is not subscribed.
    """
    unknown = sorted((only or frozenset()) - {subscription.consumer for subscription in subscriptions})
    if unknown:
        raise ValueError(f"there is no consumer named {unknown[0]}")
    return [subscription for subscription in subscriptions if only is None or subscription.consumer in only]


class EventBus(Protocol):
    """See the module."""

    @property
    def subscriptions(self) -> Sequence[Subscription]:
        """The consumers that are registered."""
        ...

    def subscribe(self, subscription: Subscription) -> None:
        """Register a consumer; before ``run`` and before the first ``publish``."""
        ...

    async def publish(self, events: Sequence[RecordedEvent]) -> None:
        """Hand events over for good, in order.

        Raises:
            BusUnavailableError: some were not taken; publish all again but those that the error says were.
        """
        ...

    async def run(self, only: frozenset[str] | None = None) -> None:
        """Deliver events to the subscribed consumers, or to those named in ``only``, until cancelled.

        Raises:
            ValueError: no consumer of one of these names is subscribed.
        """
        ...

    async def dead_events(self, *, limit: int, before: str | None = None) -> list[DeadEvent]:
        """Dead events, latest first, from the one before the id ``before``.

        A bus may look at no more than some thousands of each consumer's, of those that died first.
        """
        ...

    async def redeliver(self, dead_id: str) -> bool:
        """Give a dead event a fresh set of tries; ``False`` when there is none of that id."""
        ...

    async def check(self) -> None:
        """Return when the bus can take events.

        Raises:
            BusUnavailableError: it cannot.
        """
        ...

    async def aclose(self) -> None:
        """Release connections."""
        ...


class BusUnavailableError(Exception):
    """The bus did not confirm.

    ``taken`` are the ids of the events that it has for good all the same, so that those need not be published again;
    ``refused`` are those which it turned down one by one, so that trying others may well succeed.
    """

    def __init__(
        self, message: str, *, taken: frozenset[str] = frozenset(), refused: frozenset[str] = frozenset()
    ) -> None:
        super().__init__(message)
        self.taken = taken
        self.refused = refused
