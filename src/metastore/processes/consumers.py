"""Subscribing the features' consumers to the event bus.

A ``Consumer`` (``kit.events.consumer``) becomes a subscription whose handlers commit, in one transaction, the effect of
an event and the record that it is handled: the consumer's position where the bus shares the database, else an inbox
row. Events that have queued up share a transaction, because the commit is the expensive part. When one of them fails,
all are rolled back and the bus finds out which. A wrong declaration, such as a consumer without handlers or with an
event type that no feature publishes, is an error at the start.

Events that a handler records carry the request id and the actor of the event that caused them.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Protocol

import structlog

from metastore.kit.context import RequestContext, open_context
from metastore.kit.database.unit_of_work import Database, Transaction
from metastore.kit.events.consumer import AfterCommit, Consumer
from metastore.kit.events.event import known_event_types
from metastore.kit.events.inbox import first_deliveries
from metastore.kit.events.outbox import RecordedEvent
from metastore.ports.event_bus import EventBus, Handler, Settle, Subscription

_log = structlog.get_logger(__name__)

SMALL_BATCH = 10
"""Events whose effects take no longer than a request's transaction."""
MAX_HANDLED_SINGLY = 50
"""Events in one transaction whose handlers take no batches. SQLite's only writer is blocked meanwhile."""


class WiringError(Exception):
    """A consumer is declared wrongly. The message is one line that names it."""


def subscribe_all(bus: EventBus, database: Database, consumers: Iterable[Consumer]) -> None:
    """Subscribe every consumer to the events that it handles. Call it after all features are loaded.

    Raises:
        WiringError: a consumer is declared wrongly.
    """
    known = known_event_types()
    names: set[str] = set()
    for consumer in consumers:
        _check(consumer, known)
        if consumer.name in names:
            raise WiringError(f"two consumers are named {consumer.name}")
        names.add(consumer.name)
        handler, batch_handler = handler_of(consumer, database), batch_handler_of(consumer, database)
        bus.subscribe(Subscription(consumer.name, consumer.event_types, handler, batch_handler))


def handler_of(consumer: Consumer, database: Database) -> Handler:
    """Return the handler that the bus calls for each event of the consumer."""
    handle_batch = batch_handler_of(consumer, database)

    async def handle(event: RecordedEvent) -> None:
        outside = consumer.outside.get(event.event_type)
        if outside is None:
            await handle_batch([event])
            return
        with open_context(_context_of(event)):
            await outside(event)

    return handle


class _BatchHandler(Protocol):
    """A ``BatchHandler`` that may be called without ``settle``."""

    async def __call__(self, events: Sequence[RecordedEvent], settle: Settle | None = None) -> int:
        """See ``ports.event_bus``."""
        ...


def batch_handler_of(consumer: Consumer, database: Database) -> _BatchHandler:
    """Return the batch handler. It handles the leading events whose effect is in the database."""

    async def settle_in_inbox(tx: Transaction, events: Sequence[RecordedEvent]) -> Sequence[RecordedEvent]:
        # An event that was published twice may be there twice.
        by_id = {event.id: event for event in events}
        first = await first_deliveries(tx, consumer.name, list(by_id))
        return [event for event_id, event in by_id.items() if event_id in first]

    async def handle(events: Sequence[RecordedEvent], settle: Settle | None = None) -> int:
        leading = _leading(consumer, events)
        if not leading:
            return 0
        # A small batch may share its commit; others must not wait for a large one.
        transaction = database.transaction if len(leading) <= SMALL_BATCH else database.long_transaction
        async with transaction() as tx:
            fresh = await (settle or settle_in_inbox)(tx, leading)
            follow_ups = await _handle_in_transaction(tx, consumer, fresh)
        for event, after_commit in follow_ups:
            with open_context(_context_of(event)):
                await _run_follow_up(consumer.name, event, after_commit)
        return len(leading)

    return handle


def _leading(consumer: Consumer, events: Sequence[RecordedEvent]) -> list[RecordedEvent]:
    """Return the leading events that fit into one transaction."""
    leading: list[RecordedEvent] = []
    handled_singly = 0
    for event in events:
        if event.event_type in consumer.outside:
            break
        handled_singly += consumer.batch_handler_of(event.event_type) is None
        if handled_singly > MAX_HANDLED_SINGLY:
            break
        leading.append(event)
    return leading


async def _handle_in_transaction(
    tx: Transaction, consumer: Consumer, events: Sequence[RecordedEvent]
) -> list[tuple[RecordedEvent, AfterCommit]]:
    """Handle the events in order. Return what to call after the commit, each with an event that caused it."""
    follow_ups: list[tuple[RecordedEvent, AfterCommit]] = []
    for batch_handler, group in groupby(events, lambda event: consumer.batch_handler_of(event.event_type)):
        batch = list(group)
        if batch_handler is not None:
            follow_ups += [(batch[0], after_commit) for after_commit in await batch_handler(tx, batch)]
            continue
        for event in batch:
            with open_context(_context_of(event)):
                after_commit = await consumer.handler_of(event.event_type)(tx, event)
            if after_commit is not None:
                follow_ups.append((event, after_commit))
            # The next handler must not see rows that this one has loaded.
            await tx.forget_entities()
    return follow_ups


def _context_of(event: RecordedEvent) -> RequestContext:
    return RequestContext(event.headers.get("requestId", event.id), actor_id=event.headers.get("actorId"))


async def _run_follow_up(consumer: str, event: RecordedEvent, after_commit: AfterCommit) -> None:
    try:
        await after_commit()
    except Exception:  # noqa: BLE001  logged below
        # The effect is committed. A retry of the event would skip it, and the follow-up with it.
        _log.exception("follow-up failed", consumer=consumer, event_type=event.event_type, event_id=event.id)


def _check(consumer: Consumer, known: frozenset[str]) -> None:
    by_type = (consumer.in_transaction, consumer.in_batches, consumer.outside)
    if consumer.handles_every_type and any(by_type):
        raise WiringError(f"the consumer {consumer.name} handles every event and some events in addition")
    if not consumer.handles_every_type and not consumer.event_types:
        raise WiringError(f"the consumer {consumer.name} has no handler")
    declared = Counter(event_type for handlers in by_type for event_type in handlers)
    twice = sorted(event_type for event_type, times in declared.items() if times > 1)
    if twice:
        raise WiringError(f"the consumer {consumer.name} handles {twice[0]} twice")
    unknown = sorted(consumer.event_types - known)
    if unknown:
        raise WiringError(f"the consumer {consumer.name} waits for {unknown[0]}, which nothing publishes")
