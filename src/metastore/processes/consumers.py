"""Subscribing the features' consumers to the event bus.

A ``Consumer`` (``kit.events.consumer``) becomes a subscription whose handler commits the inbox row and the effect in
one transaction. Events that have queued up share a transaction, because the commit is the expensive part. When one of
them fails, all are rolled back and the bus delivers them one by one. A wrong declaration, such as a consumer without
handlers or with an event type that no feature publishes, is an error at the start.

Events that a handler records carry the request id and the actor of the event that caused them.
"""

import time
from collections.abc import Iterable, Sequence
from itertools import takewhile

import structlog

from metastore.kit.context import RequestContext, open_context
from metastore.kit.database.unit_of_work import Database
from metastore.kit.events.consumer import AfterCommit, Consumer, TransactionHandler
from metastore.kit.events.event import known_event_types
from metastore.kit.events.inbox import first_delivery
from metastore.kit.events.outbox import RecordedEvent
from metastore.ports.event_bus import BatchHandler, EventBus, Handler, Subscription

_log = structlog.get_logger(__name__)

BATCH_SECONDS = 0.05
"""Seconds after which a batch is committed. SQLite's only writer is blocked meanwhile."""


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

    async def handle(event: RecordedEvent) -> None:
        with open_context(_context_of(event)):
            outside = consumer.outside.get(event.event_type)
            if outside is not None:
                await outside(event)
                return
            inside = consumer.every or consumer.in_transaction[event.event_type]
            after_commit = await _handle_once(database, consumer.name, inside, event)
            if after_commit is not None:
                await _run_follow_up(consumer.name, event, after_commit)

    return handle


def batch_handler_of(consumer: Consumer, database: Database) -> BatchHandler:
    """Return the batch handler. It handles the leading events whose effect is in the database."""

    async def handle(events: Sequence[RecordedEvent]) -> int:
        leading = list(takewhile(lambda event: event.event_type not in consumer.outside, events))
        if len(leading) < 2:
            return 0
        follow_ups: list[tuple[RecordedEvent, AfterCommit]] = []
        handled = 0
        async with database.transaction() as tx:
            commit_at = time.monotonic() + BATCH_SECONDS
            for event in leading:
                inside = consumer.every or consumer.in_transaction[event.event_type]
                with open_context(_context_of(event)):
                    first = await first_delivery(tx, consumer.name, event.id)
                    after_commit = await inside(tx, event) if first else None
                if after_commit is not None:
                    follow_ups.append((event, after_commit))
                # The next handler must not see rows that this one has loaded.
                await tx.session.flush()
                tx.session.expunge_all()
                handled += 1
                if time.monotonic() >= commit_at:
                    break
        for event, after_commit in follow_ups:
            with open_context(_context_of(event)):
                await _run_follow_up(consumer.name, event, after_commit)
        return handled

    return handle


def _context_of(event: RecordedEvent) -> RequestContext:
    return RequestContext(event.headers.get("requestId", event.id), actor_id=event.headers.get("actorId"))


async def _handle_once(
    database: Database, consumer: str, handler: TransactionHandler, event: RecordedEvent
) -> AfterCommit | None:
    async with database.transaction() as tx:
        if not await first_delivery(tx, consumer, event.id):
            return None
        return await handler(tx, event)


async def _run_follow_up(consumer: str, event: RecordedEvent, after_commit: AfterCommit) -> None:
    try:
        await after_commit()
    except Exception:  # noqa: BLE001  logged below
        # The effect is committed. A retry of the event would skip it, and the follow-up with it.
        _log.exception("follow-up failed", consumer=consumer, event_type=event.event_type, event_id=event.id)


def _check(consumer: Consumer, known: frozenset[str]) -> None:
    if consumer.every and (consumer.in_transaction or consumer.outside):
        raise WiringError(f"the consumer {consumer.name} handles every event and some events in addition")
    if not consumer.every and not consumer.event_types:
        raise WiringError(f"the consumer {consumer.name} has no handler")
    twice = sorted(set(consumer.in_transaction) & set(consumer.outside))
    if twice:
        raise WiringError(f"the consumer {consumer.name} handles {twice[0]} twice")
    unknown = sorted(consumer.event_types - known)
    if unknown:
        raise WiringError(f"the consumer {consumer.name} waits for {unknown[0]}, which nothing publishes")
