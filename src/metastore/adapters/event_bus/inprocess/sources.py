"""Where a consumer of the in-process bus gets its events, and how it settles them.

* ``PublishedEvents``: the events after the consumer's position. They are settled by moving the position.
* ``QueuedEvents``: the events that failed, and those that wait behind them. They are settled by deleting their rows.

Both are settled in the transaction of the effect. A kill can therefore not come between the two.
"""

from collections.abc import Sequence
from typing import Protocol

from metastore.adapters.event_bus.inprocess import queue
from metastore.adapters.event_bus.inprocess.queue import Delivery, Failure
from metastore.kit.database.unit_of_work import Database, Transaction
from metastore.kit.events import inbox, positions
from metastore.kit.events.outbox import RecordedEvent


class MovedError(Exception):
    """Another process has handled these events."""


class Source(Protocol):
    """A list of events that are delivered in order."""

    blocked: set[str]
    """The aggregates whose events have to wait."""

    async def settle(self, tx: Transaction, deliveries: Sequence[Delivery]) -> Sequence[RecordedEvent]:
        """Settle deliveries in the transaction of their effect. Return the events that have not taken effect before.

        Raises:
            MovedError: they are settled already.
        """
        ...

    def settled(self, deliveries: Sequence[Delivery]) -> None:
        """Take note that this transaction was committed."""
        ...

    async def fail(self, tx: Transaction, delivery: Delivery, failure: Failure) -> None:
        """Record a failed attempt; ``settled`` follows."""
        ...


class QueuedEvents:
    """Rows of the queue that are due."""

    def __init__(self, consumer: str, *, checks_inbox: bool) -> None:
        self.blocked: set[str] = set()
        self._consumer = consumer
        self._checks_inbox = checks_inbox

    async def settle(self, tx: Transaction, deliveries: Sequence[Delivery]) -> Sequence[RecordedEvent]:
        """See ``Source``."""
        if await queue.remove(tx, [delivery.id for delivery in deliveries]) < len(deliveries):
            raise MovedError
        return await _not_in_inbox(tx, self._consumer, deliveries) if self._checks_inbox else _events(deliveries)

    def settled(self, deliveries: Sequence[Delivery]) -> None:
        """See ``Source``."""

    async def fail(self, tx: Transaction, delivery: Delivery, failure: Failure) -> None:
        """See ``Source``."""
        await queue.record_failure(tx, delivery.id, failure)


class PublishedEvents:
    """The events after a consumer's position.

    ``position`` is how far the consumer has come. It is written only with events that the consumer handles, so it may
    be ahead of the stored one, ``saved``, by events of other types.
    """

    def __init__(self, consumer: str, position: int, *, checks_inbox: bool) -> None:
        self.position = position
        self.saved = position
        self.blocked: set[str] = set()
        self._consumer = consumer
        self._checks_inbox = checks_inbox
        self._deliveries: Sequence[Delivery] = ()

    def begin(self, deliveries: Sequence[Delivery], blocked: set[str]) -> None:
        """Begin with the next deliveries, whose aggregates may be blocked by queued events."""
        self._deliveries, self.blocked = deliveries, blocked

    async def settle(self, tx: Transaction, deliveries: Sequence[Delivery]) -> Sequence[RecordedEvent]:
        """See ``Source``. Blocked events that the position passes are queued."""
        await self.move(tx, deliveries[-1].position)
        return await _not_in_inbox(tx, self._consumer, deliveries) if self._checks_inbox else _events(deliveries)

    def settled(self, deliveries: Sequence[Delivery]) -> None:
        """See ``Source``."""
        self.moved(deliveries[-1].position)

    async def fail(self, tx: Transaction, delivery: Delivery, failure: Failure) -> None:
        """See ``Source``."""
        await self.move(tx, delivery.position)
        await queue.enqueue(tx, [(self._consumer, delivery.event)], failure)

    async def move(self, tx: Transaction, position: int) -> None:
        """Move the stored position, queueing the blocked events before it.

        Raises:
            MovedError: another process has moved it.
        """
        if not await positions.advance(tx, self._consumer, self.saved, position):
            raise MovedError
        passed = [d.event for d in self._deliveries if d.position <= position and d.event.aggregate in self.blocked]
        await queue.enqueue(tx, [(self._consumer, event) for event in passed])

    def moved(self, position: int) -> None:
        """Take note that ``move`` was committed."""
        self.saved = position
        self.position = max(self.position, position)
        self._deliveries = [delivery for delivery in self._deliveries if delivery.position > position]

    async def save(self, database: Database) -> None:
        """Store how far the consumer has come."""
        if self.saved < self.position:
            async with database.transaction() as tx:
                await self.move(tx, self.position)
            self.moved(self.position)


def _events(deliveries: Sequence[Delivery]) -> list[RecordedEvent]:
    return [delivery.event for delivery in deliveries]


async def _not_in_inbox(tx: Transaction, consumer: str, deliveries: Sequence[Delivery]) -> list[RecordedEvent]:
    handled = await inbox.handled(tx, consumer, [delivery.event.id for delivery in deliveries])
    return [delivery.event for delivery in deliveries if delivery.event.id not in handled]
