"""Progress reports and intermediate transactions of a running step."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from metastore.kit.database.unit_of_work import Database, Transaction
from metastore.kit.saga import claims
from metastore.kit.saga.models import Saga

REPORT_EVERY = 0.3


class Reporter:
    """The ``Report`` of one attempt. ``notify`` is called after each commit that made progress."""

    def __init__(self, database: Database, saga: Saga, notify: Callable[[Saga], Awaitable[None]]) -> None:
        self._database = database
        self._saga = saga
        self._notify = notify
        self._reached = saga.progress
        self._reported_at = time.monotonic()
        self.attempts = saga.attempts
        """The number of attempts since the step last made progress, including this one."""
        self.outage_since = saga.outage_since
        """When the current outage began, unless the step has made progress since."""

    async def __call__(self, percent: int) -> None:
        """Report progress. Reports are limited to one every ``REPORT_EVERY`` seconds; others are dropped."""
        soon = time.monotonic() - self._reported_at < REPORT_EVERY
        if percent <= self._reached or (percent < 100 and soon):
            return
        async with self.transaction(percent=percent):
            pass

    @asynccontextmanager
    async def transaction(self, *, percent: int = 0, further: bool = False) -> AsyncIterator[Transaction]:
        """Open a transaction of the step's own; see ``Report``."""
        reached = percent > self._reached
        values: dict[str, object] = {"progress": percent} if reached else {}
        if reached or further:
            values |= {"attempts": 1, "outage_since": None}
        async with self._database.transaction() as tx:
            # First, because it locks the row: no other worker can claim the saga until this is committed.
            await claims.settle(tx, self._saga, values)
            yield tx
        if reached or further:
            self.attempts, self.outage_since = 1, None
        if reached:
            self._reached, self._reported_at = percent, time.monotonic()
            await self._notify(self._saga._replace(progress=percent))
