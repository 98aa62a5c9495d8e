"""Holding a saga while a step of it is at work."""

import asyncio
import time
from collections.abc import Coroutine
from datetime import timedelta
from typing import TypeVar

import structlog

from metastore.kit import saga_claims
from metastore.kit.clock import Clock
from metastore.kit.database import Database
from metastore.kit.problem import unavailable
from metastore.kit.saga_claims import LeaseLostError
from metastore.kit.saga_models import Saga

_log = structlog.get_logger(__name__)
Result = TypeVar("Result")


class Lease:
    """For how long a claim holds, and what renews it."""

    def __init__(self, database: Database, length: timedelta, clock: Clock) -> None:
        self.length = length
        self._database = database
        self._clock = clock

    async def hold(self, saga: Saga, work: Coroutine[None, None, Result], time_limit: float | None) -> Result:
        """``work`` in its time, in seconds, while the lease is renewed.

        Raises:
            LeaseLostError: somebody else has the saga.
            Problem: the database was away for so long that somebody else may have it soon.
            TimeoutError: it took too long.
        """
        task = asyncio.create_task(work)
        keeper = asyncio.create_task(self._keep(saga))
        try:
            await asyncio.wait({task, keeper}, timeout=time_limit, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            if keeper.done():
                keeper.result()
                raise LeaseLostError(saga.id)
            raise TimeoutError(f"not done within {time_limit} s")
        finally:
            task.cancel()
            keeper.cancel()
            await asyncio.gather(task, keeper, return_exceptions=True)

    async def _keep(self, saga: Saga) -> None:
        """Renew the lease until it is lost, then return.

        Raises:
            Problem: it ran out because the database is away.
        """
        seconds = self.length.total_seconds()
        renewed = time.monotonic()
        while time.monotonic() - renewed < seconds:
            await asyncio.sleep(seconds / 4)
            try:
                async with self._database.transaction() as tx:
                    await saga_claims.settle(tx, saga, {"locked_until": self._clock() + self.length})
                renewed = time.monotonic()
            except LeaseLostError:
                return
            except Exception as error:  # noqa: BLE001  there is time left to try again
                about = {"kind": saga.kind, "subject": saga.subject, "step": saga.step}
                _log.warning("a lease was not renewed", error=repr(error), **about)
        raise unavailable("The database does not respond.")
