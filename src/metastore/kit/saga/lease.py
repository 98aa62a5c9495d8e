"""Leases: holding a claimed saga while one of its steps runs."""

import asyncio
import time
from collections.abc import Coroutine
from datetime import timedelta
from typing import TypeVar

import structlog

from metastore.kit.clock import Clock
from metastore.kit.database.unit_of_work import Database
from metastore.kit.problems.problem import unavailable
from metastore.kit.saga import claims
from metastore.kit.saga.claims import LeaseLostError
from metastore.kit.saga.models import Saga

_log = structlog.get_logger(__name__)
Result = TypeVar("Result")


class Lease:
    """Holds claims for ``length`` and renews them."""

    def __init__(self, database: Database, length: timedelta, clock: Clock) -> None:
        self.length = length
        self._database = database
        self._clock = clock

    async def hold(self, saga: Saga, work: Coroutine[None, None, Result], time_limit: float | None) -> Result:
        """Await ``work`` for at most ``time_limit`` seconds and renew the saga's lease meanwhile.

        Raises:
            LeaseLostError: another worker has claimed the saga, or it was changed.
            Problem: 503; the lease has run out because the database is unavailable.
            TimeoutError: the work took longer than ``time_limit``.
        """
        task = asyncio.create_task(work)
        renewal = asyncio.create_task(self._renew(saga))
        try:
            await asyncio.wait({task, renewal}, timeout=time_limit, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            if renewal.done():
                renewal.result()
                raise LeaseLostError(saga.id)
            raise TimeoutError(f"not done within {time_limit} s")
        finally:
            task.cancel()
            renewal.cancel()
            await asyncio.gather(task, renewal, return_exceptions=True)

    async def _renew(self, saga: Saga) -> None:
        """Renew the lease until it is lost, then return.

        Raises:
            Problem: 503; it ran out because the database is unavailable.
        """
        seconds = self.length.total_seconds()
        renewed = time.monotonic()
        while time.monotonic() - renewed < seconds:
            await asyncio.sleep(seconds / 4)
            try:
                async with self._database.transaction() as tx:
                    await claims.settle(tx, saga, {"locked_until": self._clock() + self.length})
                renewed = time.monotonic()
            except LeaseLostError:
                return
            except Exception as error:  # noqa: BLE001  retried while the lease lasts
                fields = {"kind": saga.kind, "subject": saga.subject, "step": saga.step}
                _log.warning("cannot renew a lease", error=repr(error), **fields)
        raise unavailable("The database does not respond.")
