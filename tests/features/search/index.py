"""A search index that hears of one user's tree."""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field

from pydantic import JsonValue
from sqlalchemy import delete, select

from metastore.features.search.consumers import consumers
from metastore.features.search.models import SearchDocument
from metastore.features.search.schemas import SearchQuery
from metastore.features.search.service import SearchService
from metastore.kit.database import Database
from metastore.kit.ids import new_id
from metastore.kit.outbox import OutboxEvent, RecordedEvent
from metastore.processes.consumers import handler_of
from tests.features.files.grove import Item, OwnerTree, items_of
from tests.fixtures.radio import Radio


@dataclass
class Index:
    """See the module; ``catch_up`` has it hear what happened since."""

    tree: OwnerTree
    search: SearchService = field(default_factory=SearchService)
    heard: set[str] = field(default_factory=set)
    radio: Radio = field(default_factory=Radio)

    @property
    def database(self) -> Database:
        """Where tree and index are."""
        return self.tree.database

    async def events(self) -> list[RecordedEvent]:
        """Everything that happened to the tree, in order."""
        return [_event(row) for row in await self.tree.events()]

    async def hear(self, events: Iterable[RecordedEvent], *, anew: bool = False) -> None:
        """Have the consumer handle the events; ``anew`` as if it had never seen them."""
        (consumer,) = consumers(self.search, self.database, self.radio)
        for event in events:
            if event.event_type in consumer.event_types:
                given = RecordedEvent(
                    new_id() if anew else event.id,
                    event.event_type,
                    event.aggregate,
                    event.payload,
                    event.headers,
                    event.created_at,
                )
                await handler_of(consumer, self.database)(given)

    async def catch_up(self) -> None:
        """Hear what was not heard yet."""
        events = await self.events()
        await self.hear(event for event in events if event.id not in self.heard)
        self.heard |= {event.id for event in events}

    async def hear_all_again(self, seed: int) -> None:
        """Hear everything once more in another order, past the note of what was handled."""
        events = await self.events()
        random.Random(seed).shuffle(events)
        await self.hear(events, anew=True)

    async def lose_everything(self) -> None:
        """Empty the index."""
        async with self.database.transaction() as tx:
            await tx.session.execute(delete(SearchDocument))

    async def documents(self) -> set[tuple[object, ...]]:
        """All that the index holds."""
        async with self.database.reading() as tx:
            rows = await tx.session.execute(select(SearchDocument.__table__))
            return {tuple(row) for row in rows}

    async def page(self, q: str = "", **query: object) -> dict[str, JsonValue]:
        """A page of results for the tree's owner; fields as in the API."""
        async with self.database.reading() as tx:
            return await self.search.page(tx, self.tree.owner, SearchQuery.model_validate({"q": q, **query}))

    async def found(self, q: str = "", **query: object) -> list[Item]:
        """The items of the first page."""
        return items_of(await self.page(q, **query))

    async def names(self, q: str = "", **query: object) -> list[str]:
        """The names on the first page, in alphabetical order."""
        return sorted(str(item["name"]) for item in await self.found(q, **query))


def _event(row: OutboxEvent) -> RecordedEvent:
    return RecordedEvent(row.id, row.event_type, row.aggregate, row.payload, row.headers, row.created_at)
