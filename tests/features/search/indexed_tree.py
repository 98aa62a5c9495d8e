"""The search index of one user's tree, updated from the tree's events on demand."""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field

from pydantic import JsonValue
from sqlalchemy import delete, select

from metastore.features.search.consumers import consumers
from metastore.features.search.models import SearchDocument
from metastore.features.search.schemas import SearchQuery
from metastore.features.search.service import SearchService
from metastore.kit.database.unit_of_work import Database
from metastore.kit.events.outbox import OutboxEvent, RecordedEvent
from metastore.kit.ids import new_id
from metastore.processes.consumers import handler_of
from tests.features.files.owner_tree import Item, OwnerTree, items_of
from tests.fixtures.recording_realtime import RecordingRealtime


@dataclass
class IndexedTree:
    """A tree and its search index; ``catch_up`` handles the events recorded since."""

    tree: OwnerTree
    search: SearchService = field(default_factory=SearchService)
    realtime: RecordingRealtime = field(default_factory=RecordingRealtime)
    handled: set[str] = field(default_factory=set)

    @property
    def database(self) -> Database:
        """The database with the tree and the index."""
        return self.tree.database

    async def events(self) -> list[RecordedEvent]:
        """Return all events of the tree, in order."""
        return [_event(row) for row in await self.tree.events()]

    async def handle(self, events: Iterable[RecordedEvent], *, new_ids: bool = False) -> None:
        """Handle the events; ``new_ids`` gives them new IDs, so that the inbox does not know them."""
        (consumer,) = consumers(self.search, self.database, self.realtime)
        for event in events:
            if event.event_type in consumer.event_types:
                given = RecordedEvent(
                    new_id() if new_ids else event.id,
                    event.event_type,
                    event.aggregate,
                    event.payload,
                    event.headers,
                    event.created_at,
                )
                await handler_of(consumer, self.database)(given)

    async def catch_up(self) -> None:
        """Handle the events that have not been handled yet."""
        events = await self.events()
        await self.handle(event for event in events if event.id not in self.handled)
        self.handled |= {event.id for event in events}

    async def handle_all_again(self, seed: int) -> None:
        """Handle all events once more in random order, bypassing the inbox."""
        events = await self.events()
        random.Random(seed).shuffle(events)
        await self.handle(events, new_ids=True)

    async def clear(self) -> None:
        """Delete all documents."""
        async with self.database.transaction() as tx:
            await tx.session.execute(delete(SearchDocument))

    async def documents(self) -> set[tuple[object, ...]]:
        """Return all documents."""
        async with self.database.reading() as tx:
            rows = await tx.session.execute(select(SearchDocument.__table__))
            return {tuple(row) for row in rows}

    async def page(self, q: str = "", **query: object) -> dict[str, JsonValue]:
        """Return a page of results; parameters as in the API."""
        async with self.database.reading() as tx:
            return await self.search.page(tx, self.tree.caller, SearchQuery.model_validate({"q": q, **query}))

    async def found(self, q: str = "", **query: object) -> list[Item]:
        """Return the items of the first page."""
        return items_of(await self.page(q, **query))

    async def names(self, q: str = "", **query: object) -> list[str]:
        """Return the names on the first page, in alphabetical order."""
        return sorted(str(item["name"]) for item in await self.found(q, **query))


def _event(row: OutboxEvent) -> RecordedEvent:
    return RecordedEvent(row.id, row.event_type, row.aggregate, row.payload, row.headers, row.created_at)
