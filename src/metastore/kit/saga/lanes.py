"""The lanes of a runner: one for long steps and one for all others, so that short steps need not wait.

A saga that reaches a long step is released, to be claimed for the long lane by any runner when it is its owner's turn.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from metastore.kit.clock import Clock
from metastore.kit.database.unit_of_work import Database
from metastore.kit.saga import claims
from metastore.kit.saga.claims import ClaimFilter
from metastore.kit.saga.definition import Definition
from metastore.kit.saga.models import RUNNING, Saga

LONG_AT_ONCE = 1


class Lanes:
    """Claims sagas for ``worker``: ``concurrency`` at once, plus ``LONG_AT_ONCE`` in long steps."""

    def __init__(
        self,
        database: Database,
        definitions: Sequence[Definition],
        *,
        clock: Clock,
        lease: timedelta,
        worker: str,
        concurrency: int,
    ) -> None:
        kinds = tuple(definition.kind for definition in definitions)
        long_steps = tuple((d.kind, step.name) for d in definitions for step in d.steps if step.may_take_long)
        self._all = ClaimFilter(kinds)
        self._short = ClaimFilter(kinds, long_steps)
        self._long = ClaimFilter(kinds, long_steps, only_steps=True)
        self._in_long_steps: set[str] = set()
        self.held: set[str] = set()
        """The ids of the sagas that the runner executes. If a lease expires during an outage, nothing is claimed twice:
        the runner releases the saga after the outage, or learns that another one has claimed it."""
        self._database = database
        self._clock = clock
        self._lease = lease
        self._worker = worker
        self._concurrency = concurrency

    async def next_due(self, running: int, within: timedelta) -> datetime | None:
        """Return when there is the next saga to claim while ``running`` sagas run.

        The time may be in the past. ``None`` means that there is none ``within`` this time, or that the lanes are full.
        """
        free = self._free(running)
        if free is None:
            return None
        async with self._database.reading() as tx:
            return await claims.next_due(tx, free, self._clock() + within)

    async def claim(self, running: int) -> list[Saga]:
        """Claim as many due sagas as the lanes have room for while ``running`` sagas run."""
        long = len(self._in_long_steps)
        claimed = await self._claim(self._short, self._concurrency - running + long)
        if self._long.steps and long < LONG_AT_ONCE:
            for_long = await self._claim(self._long, LONG_AT_ONCE - long)
            self._in_long_steps |= {saga.id for saga in for_long}
            claimed += for_long
        return claimed

    async def claim_any(self) -> list[Saga]:
        """Claim one due saga, whatever its lane."""
        return await self._claim(self._all, 1)

    async def is_in_wrong_lane(self, definition: Definition, saga: Saga) -> bool:
        """Return whether the saga's step is long although the saga was claimed for the other lane."""
        takes_long = definition.step(saga.step).may_take_long if saga.state == RUNNING else None
        return takes_long is not None and saga.id not in self._in_long_steps and await takes_long(saga)

    def leave(self, saga: Saga) -> None:
        """Free the saga's place in the long lane, if it has one."""
        self._in_long_steps.discard(saga.id)

    def _free(self, running: int) -> ClaimFilter | None:
        """Return which sagas the lanes have room for."""
        long = len(self._in_long_steps)
        has_long = bool(self._long.steps) and long < LONG_AT_ONCE
        has_short = self._concurrency - running + long > 0
        if has_long and has_short:
            return self._all
        if has_long or has_short:
            return self._short if has_short else self._long
        return None

    async def _claim(self, claimable: ClaimFilter, limit: int) -> list[Saga]:
        if limit <= 0:
            return []
        now = self._clock()
        if self._database.single_writer:
            async with self._database.reading() as tx:
                if not await claims.is_any_due(tx, claimable, now):
                    return []
        async with self._database.transaction() as tx:
            return await claims.claim(
                tx, claimable, now=now, lease=self._lease, worker=self._worker, limit=limit, held=self.held
            )
