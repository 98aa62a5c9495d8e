"""Find events in the outbox that no relay will publish.

Events that wait while nothing runs are not stuck. An event is stuck if it is still unpublished although much later
events have been recorded, or if its status is one that no relay selects.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import timedelta

from sqlalchemy import func, select, update

from metastore.kit.database.unit_of_work import Database
from metastore.kit.events.outbox import PENDING, PUBLISHED, OutboxEvent
from metastore.processes.fsck.check import Finding, Severity

STUCK_AFTER = timedelta(minutes=10)
"""An unpublished event is stuck if another was recorded this much later."""
_PAGE = 200
Publish = Callable[[Sequence[str]], Awaitable[bool]]
"""Publishes the events with these ids through a relay; returns whether that succeeded."""


class OutboxCheck:
    """Stuck events.

    A repair makes them due, and publishes them with ``publish`` if it is given.
    """

    def __init__(self, database: Database, publish: Publish | None = None) -> None:
        self._database = database
        self._publish = publish

    async def suspects(self) -> AsyncIterator[str]:
        """Yield the ids of stuck events."""
        after = ""
        while True:
            async with self._database.reading() as tx:
                newest = await tx.session.scalar(select(func.max(OutboxEvent.created_at)))
                if newest is None:
                    return
                stuck = (OutboxEvent.status == PENDING) & (OutboxEvent.created_at < newest - STUCK_AFTER)
                statement = (
                    select(OutboxEvent.id)
                    .where(OutboxEvent.id > after, stuck | OutboxEvent.status.not_in((PENDING, PUBLISHED)))
                    .order_by(OutboxEvent.id)
                    .limit(_PAGE)
                )
                page = list(await tx.session.scalars(statement))
            if not page:
                return
            for event_id in page:
                yield event_id
            after = page[-1]

    async def confirm(self, suspect: str) -> Finding | None:
        """Implement ``Check``."""
        async with self._database.reading() as tx:
            event = await tx.session.get(OutboxEvent, suspect)
        if event is None or event.status == PUBLISHED:
            return None
        found = (
            f"{event.event_type} of {event.aggregate}, recorded {event.created_at:%Y-%m-%d %H:%M:%S} UTC, "
            f"is {event.status} after {event.attempts} attempts"
        )
        return Finding("stuck-event", Severity.ERROR, suspect, found, "publishes it, or leaves it due for a relay")

    async def repair(self, suspect: str) -> str:
        """Implement ``Check``."""
        async with self._database.transaction() as tx:
            await tx.session.execute(
                update(OutboxEvent)
                .where(OutboxEvent.id == suspect, OutboxEvent.status != PUBLISHED)
                .values(status=PENDING, attempts=0, retry_at=None)
            )
        if self._publish is not None and await self._publish([suspect]):
            return "published"
        return "due at once for the next relay"
