"""Rate limiter in memory: fixed windows that start with a key's first attempt.

Suitable for a single process; several processes need a shared backend to enforce a common limit. Counts are lost on a
restart.
"""

import math
import time

from limits import RateLimitItem, RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage

from metastore.ports.rate_limiter import Limit, Standing


class MemoryRateLimiter:
    """``RateLimiter`` that counts in this process only."""

    def __init__(self) -> None:
        self._storage = MemoryStorage()

    async def attempt(self, limit: Limit, key: str) -> Standing:
        """Implement ``RateLimiter``. An attempt over the limit is not counted, so that a refund frees a slot."""
        name = _name(limit, key)
        count = await self._storage.incr(name, limit.window)
        allowed = count <= limit.amount
        if not allowed:
            await self._storage.decr(name)
        return Standing(allowed, max(0, limit.amount - count), await self._reset_after(name))

    async def refund(self, limit: Limit, key: str) -> None:
        """Implement ``RateLimiter``. Does nothing if no attempt is counted in the current window."""
        # Decrementing a key without a window would leave it in the storage forever.
        name = _name(limit, key)
        if await self._storage.get(name) > 0:
            await self._storage.decr(name)

    async def check(self) -> None:
        """Implement ``RateLimiter``; memory is always available."""

    async def aclose(self) -> None:
        """Implement ``RateLimiter``."""

    async def _reset_after(self, name: str) -> int:
        return max(0, math.ceil(await self._storage.get_expiry(name) - time.time()))


def _name(limit: Limit, key: str) -> str:
    item: RateLimitItem = RateLimitItemPerSecond(limit.amount, limit.window, namespace=limit.name)
    return item.key_for(key)
