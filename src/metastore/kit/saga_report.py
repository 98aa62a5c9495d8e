"""What a step that goes on for long says of itself, and writes, before it is done."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from metastore.kit import saga_claims
from metastore.kit.database import Database, Transaction
from metastore.kit.saga_models import Saga

REPORT_EVERY = 0.3


class Reporter:
    """The ``Report`` of one attempt; ``tell`` is called after each commit that brought the step further."""

    def __init__(self, database: Database, saga: Saga, tell: Callable[[Saga], Awaitable[None]]) -> None:
        self._database = database
        self._saga = saga
        self._tell = tell
        self._reached = saga.progress
        self._told_at = time.monotonic()
        self.attempts = saga.attempts
        """How many tries have been used up, this one included, since the step last came further than ever."""
        self.away_since = saga.away_since
        """Since when something it needs has been away, unless it came further meanwhile."""

    async def __call__(self, percent: int) -> None:
        """See ``Report``; what follows too soon upon the last is passed over."""
        soon = time.monotonic() - self._told_at < REPORT_EVERY
        if percent <= self._reached or (percent < 100 and soon):
            return
        async with self.transaction(percent=percent):
            pass

    @asynccontextmanager
    async def transaction(self, *, percent: int = 0, further: bool = False) -> AsyncIterator[Transaction]:
        """See ``Report``."""
        reached = percent > self._reached
        values: dict[str, object] = {"progress": percent} if reached else {}
        if reached or further:
            values |= {"attempts": 1, "away_since": None}
        async with self._database.transaction() as tx:
            # First of all: it locks the row, so that nobody can take the saga over until this is committed.
            await saga_claims.settle(tx, self._saga, values)
            yield tx
        if reached or further:
            self.attempts, self.away_since = 1, None
        if reached:
            self._reached, self._told_at = percent, time.monotonic()
            await self._tell(self._saga._replace(progress=percent))
