"""Counts in this process's memory, by the ``limits`` package, in fixed windows that open with a key's first attempt.

Right for one process; several that share a limit need a shared backend. Counts are forgotten on a restart.
"""

import math
import time

from limits import RateLimitItem, RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage

from metastore.ports.rate_limiter import Limit, Standing


class MemoryRateLimiter:
    """See the module."""

    def __init__(self) -> None:
        self._storage = MemoryStorage()

    async def attempt(self, limit: Limit, key: str) -> Standing:
        """See ``RateLimiter``; an attempt over the limit is not counted, so that forgiving others makes room."""
        name = _name(limit, key)
        count = await self._storage.incr(name, limit.window)
        allowed = count <= limit.amount
        if not allowed:
            await self._storage.decr(name)
        return Standing(allowed, max(0, limit.amount - count), await self._reset_after(name))

    async def forgive(self, limit: Limit, key: str) -> None:
        """See ``RateLimiter``; what was never counted, or whose window has closed, needs no forgiving."""
        # The storage would leave a key that has no window behind for ever.
        name = _name(limit, key)
        if await self._storage.get(name) > 0:
            await self._storage.decr(name)

    async def check(self) -> None:
        """See ``RateLimiter``; memory is always there."""

    async def aclose(self) -> None:
        """See ``RateLimiter``."""

    async def _reset_after(self, name: str) -> int:
        return max(0, math.ceil(await self._storage.get_expiry(name) - time.time()))


def _name(limit: Limit, key: str) -> str:
    item: RateLimitItem = RateLimitItemPerSecond(limit.amount, limit.window, namespace=limit.name)
    return item.key_for(key)
