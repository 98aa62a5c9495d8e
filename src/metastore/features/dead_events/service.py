"""The dead events service. The event bus stores dead events; it is called outside transactions, as it may be slow."""

from metastore.features.dead_events.events import EventRedelivered
from metastore.features.dead_events.schemas import DeadEventOut
from metastore.kit.api.paging import Page, decode_cursor, encode_cursor, invalid_cursor
from metastore.kit.database.unit_of_work import Transaction
from metastore.kit.ids import is_id
from metastore.kit.problems.problem import Problem, not_found, unavailable
from metastore.ports.event_bus import BusUnavailableError, DeadEvent, EventBus


class DeadEventsService:
    """Lists and redelivers dead events."""

    def __init__(self, bus: EventBus) -> None:
        self._bus = bus

    async def page(self, *, limit: int, cursor: str | None) -> Page[DeadEventOut]:
        """Return a page of dead events, latest first.

        Raises:
            Problem: 422 ``invalid-cursor``; 503 if the event bus is unavailable.
        """
        before = _id_from_cursor(cursor) if cursor else None
        try:
            found = await self._bus.dead_events(limit=limit + 1, before=before)
        except BusUnavailableError as error:
            raise _bus_unavailable() from error
        items = found[:limit]
        return Page(
            items=[_dead_event_out(dead) for dead in items],
            next_cursor=encode_cursor([items[-1].id]) if len(found) > limit else None,
        )

    async def redeliver(self, dead_id: str, *, maybe_done: bool = False) -> None:
        """Redeliver a dead event with a new set of attempts.

        ``maybe_done`` is set when a request is repeated: the event may have been redelivered already.

        Raises:
            Problem: 404 if there is no such dead event; 503 if the event bus is unavailable.
        """
        try:
            redelivered = is_id(dead_id) and await self._bus.redeliver(dead_id)
        except BusUnavailableError as error:
            raise _bus_unavailable() from error
        if not redelivered and not (maybe_done and is_id(dead_id)):
            raise not_found("dead event")

    def record_redelivery(self, tx: Transaction, dead_id: str) -> None:
        """Record that a dead event was redelivered."""
        tx.record(EventRedelivered(dead_id=dead_id))


def _dead_event_out(dead: DeadEvent) -> DeadEventOut:
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


def _id_from_cursor(cursor: str) -> str:
    (dead_id,) = decode_cursor(cursor, 1)
    if not isinstance(dead_id, str) or not is_id(dead_id):
        raise invalid_cursor()
    return dead_id


def _bus_unavailable() -> Problem:
    return unavailable("The event bus does not respond.")
