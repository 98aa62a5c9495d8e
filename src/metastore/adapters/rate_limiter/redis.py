"""Rate limiter in Redis, shared by all processes: fixed windows that start with a key's first attempt.

An attempt is one server-side script, and so atomic and a single round trip. An attempt over the limit is not counted,
and a count never outlives its window.

Users must be able to sign in while Redis is unavailable. This process then counts in its own memory, so that limits
apply per process instead of globally, and tries Redis again a moment later. Counts are not transferred between the two.
"""

import hashlib
import time

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from metastore.adapters.rate_limiter.memory import MemoryRateLimiter
from metastore.ports.rate_limiter import Limit, LimiterUnavailableError, Standing

TIMEOUT = 0.5
"""Seconds to wait for Redis."""
RETRY_DELAY = 1.0
"""Seconds before Redis is tried again after a failure, so that not every sign-in waits for the timeout."""

_ATTEMPT = """
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('EXPIRE', KEYS[1], ARGV[2]) end
if count > tonumber(ARGV[1]) then redis.call('DECR', KEYS[1]) end
return {count, redis.call('PTTL', KEYS[1])}
"""
_REFUND = """
if tonumber(redis.call('GET', KEYS[1]) or '0') > 0 then redis.call('DECR', KEYS[1]) end
"""
_log = structlog.get_logger(__name__)


class RedisRateLimiter:
    """``RateLimiter`` on the Redis server at ``url``; the names of all keys start with ``prefix``."""

    def __init__(self, url: str, *, prefix: str = "metastore:limit:") -> None:
        self._redis: Redis = Redis.from_url(
            url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT, retry=Retry(NoBackoff(), 1)
        )
        self._attempt = self._redis.register_script(_ATTEMPT)
        self._refund = self._redis.register_script(_REFUND)
        self._prefix = prefix
        self._fallback = MemoryRateLimiter()
        self._retry_at = 0.0

    async def attempt(self, limit: Limit, key: str) -> Standing:
        """Implement ``RateLimiter``."""
        if time.monotonic() >= self._retry_at:
            try:
                count, left = await self._attempt(keys=[self._name(limit, key)], args=[limit.amount, limit.window])
                return Standing(count <= limit.amount, max(0, limit.amount - count), max(0, -(-left // 1000)))
            except (RedisError, OSError) as error:
                self._suspend(error)
        return await self._fallback.attempt(limit, key)

    async def refund(self, limit: Limit, key: str) -> None:
        """Implement ``RateLimiter``."""
        if time.monotonic() >= self._retry_at:
            try:
                await self._refund(keys=[self._name(limit, key)])
            except (RedisError, OSError) as error:
                self._suspend(error)
            else:
                return
        await self._fallback.refund(limit, key)

    async def check(self) -> None:
        """Implement ``RateLimiter``."""
        try:
            await self._redis.ping()
        except (RedisError, OSError) as error:
            raise LimiterUnavailableError(str(error)) from error

    async def aclose(self) -> None:
        """Implement ``RateLimiter``."""
        await self._redis.aclose()

    def _name(self, limit: Limit, key: str) -> str:
        # A digest has a fixed length, whatever the length of the key.
        digest = hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
        return f"{self._prefix}{limit.name}:{limit.amount}:{limit.window}:{digest}"

    def _suspend(self, error: Exception) -> None:
        self._retry_at = time.monotonic() + RETRY_DELAY
        _log.warning("Redis unavailable, rate limits are counted per process", error=type(error).__name__)
