"""The limiter that counts in Redis."""

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
        """One on an empty database."""
        limiter = RedisRateLimiter(redis.new_url())
        yield limiter
        await limiter.aclose()


async def test_processes_count_together(redis: RedisDatabases) -> None:
    """What one lets through is gone for the other."""
    url = redis.new_url()
    here, there = RedisRateLimiter(url), RedisRateLimiter(url)
    allowed = [(await limiter.attempt(THREE, "mai")).allowed for limiter in (here, there, here, there)]
    assert [True, True, True, False] == allowed
    await here.aclose()
    await there.aclose()


async def test_without_redis_each_process_still_counts(killable_redis: RedisServer) -> None:
    """Nothing fails, every attempt is counted, nobody waits, and ``check`` reports the outage."""
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


async def test_a_redis_that_hangs_holds_nobody_up(killable_redis: RedisServer) -> None:
    """The limit holds, and only who finds it out waits."""
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


async def test_counting_together_goes_on_when_redis_is_back(killable_redis: RedisServer) -> None:
    """Within about a second; what Redis had counted before it went is lost with it."""
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
