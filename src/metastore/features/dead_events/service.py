"""The rules of dead events. The bus keeps them; it is asked outside transactions, since it may be far away."""

from metastore.features.dead_events.events import EventRedelivered
from metastore.features.dead_events.schemas import DeadEventOut
from metastore.kit.database import Transaction
from metastore.kit.ids import is_id
from metastore.kit.paging import Page, decode_cursor, encode_cursor, invalid_cursor
from metastore.kit.problem import Problem, not_found, unavailable
from metastore.ports.event_bus import BusUnavailableError, DeadEvent, EventBus


class DeadEventsService:
    """Shows dead events and brings them back."""

    def __init__(self, bus: EventBus) -> None:
        self._bus = bus

    async def page(self, *, limit: int, cursor: str | None) -> Page[DeadEventOut]:
        """Dead events, latest first.

        Raises:
            Problem: 422 ``invalid-cursor``; 503 when the bus does not answer.
        """
        before = _id_in(cursor) if cursor else None
        try:
            found = await self._bus.dead_events(limit=limit + 1, before=before)
        except BusUnavailableError as error:
            raise _away() from error
        items = found[:limit]
        return Page(
            items=[_shown(dead) for dead in items],
            next_cursor=encode_cursor([items[-1].id]) if len(found) > limit else None,
        )

    async def redeliver(self, dead_id: str, *, maybe_done: bool = False) -> None:
        """Give a dead event a fresh set of tries; with ``maybe_done``, be content if it is no longer dead.

        Raises:
            Problem: 404 when there is none of that id; 503 when the bus does not answer.
        """
        try:
            there = is_id(dead_id) and await self._bus.redeliver(dead_id)
        except BusUnavailableError as error:
            raise _away() from error
        if not there and not (maybe_done and is_id(dead_id)):
            raise not_found("dead event")

    def record_redelivery(self, tx: Transaction, dead_id: str) -> None:
        """Record that a dead event was brought back."""
        tx.record(EventRedelivered(dead_id=dead_id))


def _shown(dead: DeadEvent) -> DeadEventOut:
    event = dead.event
    return DeadEventOut(
        id=dead.id,
        consumer=dead.consumer,
        event_id=event.id,
        type=event.event_type,
        aggregate=event.aggregate,
        attempts=dead.attempts,
        error=dead.error,
        died_at=dead.died_at,
        occurred_at=event.created_at,
        payload=event.payload,
    )


def _id_in(cursor: str) -> str:
    (dead_id,) = decode_cursor(cursor, 1)
    if not isinstance(dead_id, str) or not is_id(dead_id):
        raise invalid_cursor()
    return dead_id


def _away() -> Problem:
    return unavailable("The event bus does not respond.")
