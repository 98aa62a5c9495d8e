"""Consumers: what a feature does when a fact reaches it.

A feature's ``consumers.py`` declares one or more ``Consumer`` objects; ``processes.consumers`` joins them to the bus.
Each has a durable queue under its name and works through it: the events of one aggregate one after the other, those of
different aggregates a few at a time where the database can take it. There are two ways to handle an event:

* ``in_transaction``: the effect is in our own database. The handler gets an open transaction which also holds the inbox
  row, so it has its effect once however often the event is delivered. What must follow the commit (a message to open
  sockets) is returned as a function; it runs at most once, and its failure is logged and forgotten.
* ``outside``: the effect is somewhere else (an object deleted, a socket closed). The handler runs without a
  transaction, so that a slow call holds no lock, and may run again for the same event: it must be harmless when
  repeated.

A handler that raises has the event delivered again later, up to the bus's limit.

::

    def consumers(notifications: NotificationsService) -> list[Consumer]:
        return [Consumer("notifications", in_transaction={FileReady.event_type: notifications.on_file_ready})]
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from metastore.kit.database import Transaction
from metastore.kit.outbox import RecordedEvent

AfterCommit = Callable[[], Awaitable[None]]
"""What to do once the transaction of the effect has committed."""

TransactionHandler = Callable[[Transaction, RecordedEvent], Awaitable[AfterCommit | None]]
OutsideHandler = Callable[[RecordedEvent], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Consumer:
    """A named queue and its handlers by event type; ``every`` handles all types, in a transaction."""

    name: str
    in_transaction: Mapping[str, TransactionHandler] = field(default_factory=dict)
    outside: Mapping[str, OutsideHandler] = field(default_factory=dict)
    every: TransactionHandler | None = None

    @property
    def event_types(self) -> frozenset[str]:
        """The types it wants; empty means all of them."""
        return frozenset() if self.every else frozenset({*self.in_transaction, *self.outside})
