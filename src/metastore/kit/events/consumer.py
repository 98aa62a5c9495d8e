"""Consumers: the event handlers of a feature.

A feature's ``consumers.py`` declares one or more ``Consumer`` objects; ``processes.consumers`` subscribes them to the
bus. Each consumer has a durable queue under its name. It handles events of one aggregate in order, and events of
different aggregates concurrently where the database allows that. There are two kinds of handlers:

* ``in_transaction``: the effect is in the database. The handler gets an open transaction that also contains the inbox
  row, so it takes effect once, however often the event is delivered. It may return a function to call after the
  commit (to notify open sockets, for example). That function runs at most once, and its errors are logged.
* ``outside``: the effect is elsewhere (delete an object, close a socket). The handler runs without a transaction, so
  that a slow call holds no locks. It may run again for the same event and must be idempotent.

When a handler raises, the event is delivered again later, up to the bus's limit.

::

    def consumers(notifications: NotificationsService) -> list[Consumer]:
        return [Consumer("notifications", in_transaction={FileReady.event_type: notifications.on_file_ready})]
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from metastore.kit.database.unit_of_work import Transaction
from metastore.kit.events.outbox import RecordedEvent

AfterCommit = Callable[[], Awaitable[None]]
"""Called after the transaction of the effect has committed."""

TransactionHandler = Callable[[Transaction, RecordedEvent], Awaitable[AfterCommit | None]]
OutsideHandler = Callable[[RecordedEvent], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Consumer:
    """A named queue and its handlers by event type. ``every`` handles all types in a transaction."""

    name: str
    in_transaction: Mapping[str, TransactionHandler] = field(default_factory=dict)
    outside: Mapping[str, OutsideHandler] = field(default_factory=dict)
    every: TransactionHandler | None = None

    @property
    def event_types(self) -> frozenset[str]:
        """The event types that it handles. Empty means all of them."""
        return frozenset() if self.every else frozenset({*self.in_transaction, *self.outside})
