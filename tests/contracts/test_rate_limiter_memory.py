"""Contract tests of the rate limiter that counts in memory, and its use of memory."""

import pytest

from metastore.adapters.rate_limiter.memory import MemoryRateLimiter
from metastore.ports.rate_limiter import Limit, RateLimiter
from tests.contracts.rate_limiter import RateLimiterContract
from tests.fixtures.waiting import eventually


class TestMemoryRateLimiter(RateLimiterContract):
    """See the contract."""

    @pytest.fixture
    def limiter(self) -> RateLimiter:
        """A new rate limiter."""
        return MemoryRateLimiter()


async def test_keys_of_past_windows_take_no_memory() -> None:
    """Attempts from millions of addresses do not fill the memory for good."""
    limiter = MemoryRateLimiter()
    for n in range(500):
        await limiter.attempt(Limit("brief", 1, 1), f"address-{n}")
        await limiter.refund(Limit("brief", 1, 1), f"address-{n}")

    async def empty() -> bool:
        await limiter.attempt(Limit("other", 1, 60), "somebody")
        return len(limiter._storage.storage) <= 1

    await eventually(empty, interval=0.1)
