"""The limiter that counts in memory."""

import pytest

from metastore.adapters.rate_limiter.memory import MemoryRateLimiter
from metastore.ports.rate_limiter import Limit, RateLimiter
from tests.contracts.rate_limiter import RateLimiterContract
from tests.fixtures.waiting import eventually


class TestMemoryRateLimiter(RateLimiterContract):
    """See the contract."""

    @pytest.fixture
    def limiter(self) -> RateLimiter:
        """A new one."""
        return MemoryRateLimiter()


async def test_keys_whose_window_has_closed_take_no_memory() -> None:
    """Millions of addresses cannot fill it for good."""
    limiter = MemoryRateLimiter()
    for n in range(500):
        await limiter.attempt(Limit("brief", 1, 1), f"address-{n}")
        await limiter.refund(Limit("brief", 1, 1), f"address-{n}")

    async def empty() -> bool:
        await limiter.attempt(Limit("other", 1, 60), "somebody")
        return len(limiter._storage.storage) <= 1

    await eventually(empty, interval=0.1)
