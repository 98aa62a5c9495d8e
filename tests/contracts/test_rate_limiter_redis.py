"""Contract tests of the rate limiter that counts in Redis, and its behaviour in an outage of Redis."""

import time
from collections.abc import AsyncIterator

import pytest

from metastore.adapters.rate_limiter.redis import RETRY_DELAY, RedisRateLimiter
from metastore.ports.rate_limiter import LimiterUnavailableError, RateLimiter
from tests.contracts.rate_limiter import THREE, RateLimiterContract
from tests.fixtures.redis import RedisDatabases, RedisServer, killable_redis
from tests.fixtures.waiting import eventually

__all__ = ["killable_redis"]


class TestRedisRateLimiter(RateLimiterContract):
    """See the contract."""

    @pytest.fixture
    async def limiter(self, redis: RedisDatabases) -> AsyncIterator[RateLimiter]:
        """A rate limiter on an empty database."""
        limiter = RedisRateLimiter(redis.new_url())
        yield limiter
        await limiter.aclose()


async def test_processes_share_their_counts(redis: RedisDatabases) -> None:
    """An attempt in one process counts in the other, too."""
    url = redis.new_url()
    here, there = RedisRateLimiter(url), RedisRateLimiter(url)
    allowed = [(await limiter.attempt(THREE, "mai")).allowed for limiter in (here, there, here, there)]
    assert [True, True, True, False] == allowed
    await here.aclose()
    await there.aclose()


async def test_without_redis_each_process_counts_by_itself(killable_redis: RedisServer) -> None:
    """Nothing fails, every attempt is counted without delay, and ``check`` reports the outage."""
    limiter = RedisRateLimiter(killable_redis.new_url())
    await limiter.attempt(THREE, "mai")
    killable_redis.kill()
    began = time.monotonic()
    assert [True, True, True, False] == [(await limiter.attempt(THREE, "mai")).allowed for _ in range(4)]
    await limiter.refund(THREE, "mai")
    assert (await limiter.attempt(THREE, "mai")).allowed
    assert time.monotonic() - began < 10
    with pytest.raises(LimiterUnavailableError):
        await limiter.check()
    await limiter.aclose()


async def test_a_hanging_redis_does_not_delay_attempts(killable_redis: RedisServer) -> None:
    """The limit still applies, and only the attempt that detects the outage waits."""
    limiter = RedisRateLimiter(killable_redis.new_url())
    await limiter.attempt(THREE, "mai")
    with killable_redis.hanging():
        allowed, long_waits = [], 0
        for _ in range(4):
            began = time.monotonic()
            allowed.append((await limiter.attempt(THREE, "mai")).allowed)
            long_waits += time.monotonic() - began > 0.9
        assert [True, True, True, False] == allowed
        assert long_waits <= 1
    await limiter.aclose()


async def test_counts_are_shared_again_when_redis_recovers(killable_redis: RedisServer) -> None:
    """Within about a second. What Redis had counted before is lost."""
    url = killable_redis.new_url()
    here, there = RedisRateLimiter(url), RedisRateLimiter(url)
    killable_redis.kill()
    for _ in range(4):
        await here.attempt(THREE, "mai")
    killable_redis.start()

    async def counts_in_redis() -> bool:
        await here.attempt(THREE, "mai")
        return not (await there.attempt(THREE, "mai")).allowed

    await eventually(counts_in_redis, timeout=RETRY_DELAY + 5)
    await here.check()
    await here.aclose()
    await there.aclose()
