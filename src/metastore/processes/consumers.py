"""Joining the features' consumers to the bus.

What a feature declares with ``kit.consumer`` becomes a subscription here: the inbox row and the effect in one
transaction, and what follows the commit after it. Where events queue up, several share a transaction, since what costs
most is the commit; if one of them fails, all are rolled back and the bus hands them over one by one. Mistakes in the
wiring stop the start: a consumer that handles nothing, or one that waits for an event type which no feature publishes,
would otherwise be found out by its silence.

Facts that a handler records carry the request id and the actor of the event that caused them.
"""

import time
from collections.abc import Iterable, Sequence
from itertools import takewhile

import structlog

from metastore.kit.consumer import AfterCommit, Consumer, TransactionHandler
from metastore.kit.context import RequestContext, open_context
from metastore.kit.database import Database
from metastore.kit.facts import known_event_types
from metastore.kit.inbox import first_delivery
from metastore.kit.outbox import RecordedEvent
from metastore.ports.event_bus import EventBus, Handler, Subscription, Together

_log = structlog.get_logger(__name__)

HOLD = 0.05
"""Seconds after which events that share a transaction are committed: SQLite's only writer is held so long."""


class WiringError(Exception):
    """The consumers do not fit the events; the message is one line that names the culprit."""


def subscribe_all(bus: EventBus, database: Database, consumers: Iterable[Consumer]) -> None:
    """Subscribe every consumer to the events it handles. Call once all features are loaded, before the bus runs.

    Raises:
        WiringError: see the module.
    """
    known = known_event_types()
    names: set[str] = set()
    for consumer in consumers:
        _check(consumer, known)
        if consumer.name in names:
            raise WiringError(f"two consumers are named {consumer.name}")
        names.add(consumer.name)
        handler, together = handler_of(consumer, database), together_of(consumer, database)
        bus.subscribe(Subscription(consumer.name, consumer.event_types, handler, together))


def handler_of(consumer: Consumer, database: Database) -> Handler:
    """What the bus calls with each of the consumer's events."""

    async def handle(event: RecordedEvent) -> None:
        with open_context(_context_of(event)):
            outside = consumer.outside.get(event.event_type)
            if outside is not None:
                await outside(event)
                return
            inside = consumer.every or consumer.in_transaction[event.event_type]
            after_commit = await _have_effect(database, consumer.name, inside, event)
            if after_commit is not None:
                await _follow_up(consumer.name, event, after_commit)

    return handle


def together_of(consumer: Consumer, database: Database) -> Together:
    """What the bus may call with several of the consumer's events: those ahead that need no more than a transaction."""

    async def handle(events: Sequence[RecordedEvent]) -> int:
        ahead = list(takewhile(lambda event: event.event_type not in consumer.outside, events))
        if len(ahead) < 2:
            return 0
        follow_ups: list[tuple[RecordedEvent, AfterCommit]] = []
        handled = 0
        async with database.transaction() as tx:
            commit_at = time.monotonic() + HOLD
            for event in ahead:
                inside = consumer.every or consumer.in_transaction[event.event_type]
                with open_context(_context_of(event)):
                    first = await first_delivery(tx, consumer.name, event.id)
                    after_commit = await inside(tx, event) if first else None
                if after_commit is not None:
                    follow_ups.append((event, after_commit))
                # What one handler has loaded another must not take for what is there.
                await tx.session.flush()
                tx.session.expunge_all()
                handled += 1
                if time.monotonic() >= commit_at:
                    break
        for event, after_commit in follow_ups:
            with open_context(_context_of(event)):
                await _follow_up(consumer.name, event, after_commit)
        return handled

    return handle


def _context_of(event: RecordedEvent) -> RequestContext:
    return RequestContext(event.headers.get("requestId", event.id), actor_id=event.headers.get("actorId"))


async def _have_effect(
    database: Database, consumer: str, handler: TransactionHandler, event: RecordedEvent
) -> AfterCommit | None:
    async with database.transaction() as tx:
        if not await first_delivery(tx, consumer, event.id):
            return None
        return await handler(tx, event)


async def _follow_up(consumer: str, event: RecordedEvent, after_commit: AfterCommit) -> None:
    try:
        await after_commit()
    except Exception:  # noqa: BLE001  see below
        # The effect is committed and will not be repeated, so trying the event again would not bring this back.
        _log.exception("follow-up failed", consumer=consumer, event_type=event.event_type, event_id=event.id)


def _check(consumer: Consumer, known: frozenset[str]) -> None:
    if consumer.every and (consumer.in_transaction or consumer.outside):
        raise WiringError(f"the consumer {consumer.name} handles every event and some events besides")
    if not consumer.every and not consumer.event_types:
        raise WiringError(f"the consumer {consumer.name} has no handler")
    twice = sorted(set(consumer.in_transaction) & set(consumer.outside))
    if twice:
        raise WiringError(f"the consumer {consumer.name} handles {twice[0]} twice")
    unknown = sorted(consumer.event_types - known)
    if unknown:
        raise WiringError(f"the consumer {consumer.name} waits for {unknown[0]}, which nothing publishes")
