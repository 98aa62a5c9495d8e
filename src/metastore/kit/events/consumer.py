"""Consumers: the event handlers of a feature.

A feature's ``consumers.py`` declares one or more ``Consumer`` objects; ``processes.consumers`` subscribes them to the
bus. Each consumer has a durable queue under its name. It handles events of one aggregate in order, and events of
different aggregates concurrently where the database allows that. There are three kinds of handlers:

* ``in_transaction``: the effect is in the database. The handler gets an open transaction that also records that the
  event is handled, so it takes effect once, however often the event is delivered. It may return a function to call
  after the commit (to notify open sockets, for example). That function runs at most once, and its errors are logged.
* ``in_batches``: the same for some hundred events at a time. The batch handler makes their effects with few statements
  and returns any number of functions to call after the commit. It must not record events.
* ``outside``: the effect is elsewhere (delete an object, close a socket). The handler runs without a transaction, so
  that a slow call holds no locks. It may run again for the same event and must be idempotent.

When a handler raises, the event is delivered again later, up to the bus's limit.

::

    def consumers(notifications: NotificationsService) -> list[Consumer]:
        return [Consumer("notifications", in_transaction={FileReady.event_type: notifications.on_file_ready})]
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from metastore.kit.database.unit_of_work import Transaction
from metastore.kit.events.outbox import RecordedEvent

AfterCommit = Callable[[], Awaitable[None]]
"""Called after the transaction of the effect has committed."""

TransactionHandler = Callable[[Transaction, RecordedEvent], Awaitable[AfterCommit | None]]
BatchTransactionHandler = Callable[[Transaction, Sequence[RecordedEvent]], Awaitable[Sequence[AfterCommit]]]
OutsideHandler = Callable[[RecordedEvent], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Consumer:
    """A named queue and its handlers by event type.

    ``every`` handles all types in a transaction, and ``every_in_batches`` does so in batches.
    """

    name: str
    in_transaction: Mapping[str, TransactionHandler] = field(default_factory=dict)
    in_batches: Mapping[str, BatchTransactionHandler] = field(default_factory=dict)
    outside: Mapping[str, OutsideHandler] = field(default_factory=dict)
    every: TransactionHandler | None = None
    every_in_batches: BatchTransactionHandler | None = None

    @property
    def handles_every_type(self) -> bool:
        """Whether it handles all event types."""
        return bool(self.every or self.every_in_batches)

    @property
    def event_types(self) -> frozenset[str]:
        """The event types that it handles. Empty means all of them."""
        if self.handles_every_type:
            return frozenset()
        return frozenset({*self.in_transaction, *self.in_batches, *self.outside})

    def batch_handler_of(self, event_type: str) -> BatchTransactionHandler | None:
        """Return the handler of this type that takes batches, if it has one."""
        return self.every_in_batches or self.in_batches.get(event_type)

    def handler_of(self, event_type: str) -> TransactionHandler:
        """Return the handler of this type that takes one event in a transaction."""
        return self.every or self.in_transaction[event_type]
