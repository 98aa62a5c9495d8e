"""Counts that all processes share, in Redis: fixed windows that open with a key's first attempt.

An attempt is one script in the server, hence atomic and one round trip: an attempt over the limit is not counted, and a
count never lives longer than its window.

Redis is a cache: it may be away, and people still sign in. Then this process counts in its own memory, so that a limit
holds per process instead of for all of them together, and asks Redis again a moment later. What was counted on one side
is not carried to the other.
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
"""Seconds that an attempt waits for Redis."""
PAUSE = 1.0
"""Seconds without another try once Redis did not answer, so that not every sign-in waits for the timeout."""

_ATTEMPT = """
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('EXPIRE', KEYS[1], ARGV[2]) end
if count > tonumber(ARGV[1]) then redis.call('DECR', KEYS[1]) end
return {count, redis.call('PTTL', KEYS[1])}
"""
_FORGIVE = """
if tonumber(redis.call('GET', KEYS[1]) or '0') > 0 then redis.call('DECR', KEYS[1]) end
"""
_log = structlog.get_logger(__name__)


class RedisRateLimiter:
    """See the module; ``prefix`` stands before every key."""

    def __init__(self, url: str, *, prefix: str = "metastore:limit:") -> None:
        self._redis: Redis = Redis.from_url(
            url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT, retry=Retry(NoBackoff(), 1)
        )
        self._attempt = self._redis.register_script(_ATTEMPT)
        self._forgive = self._redis.register_script(_FORGIVE)
        self._prefix = prefix
        self._alone = MemoryRateLimiter()
        self._ask_again = 0.0

    async def attempt(self, limit: Limit, key: str) -> Standing:
        """See ``RateLimiter``."""
        if time.monotonic() >= self._ask_again:
            try:
                count, left = await self._attempt(keys=[self._name(limit, key)], args=[limit.amount, limit.window])
                return Standing(count <= limit.amount, max(0, limit.amount - count), max(0, -(-left // 1000)))
            except (RedisError, OSError) as error:
                self._give_up(error)
        return await self._alone.attempt(limit, key)

    async def forgive(self, limit: Limit, key: str) -> None:
        """See ``RateLimiter``."""
        if time.monotonic() >= self._ask_again:
            try:
                await self._forgive(keys=[self._name(limit, key)])
            except (RedisError, OSError) as error:
                self._give_up(error)
            else:
                return
        await self._alone.forgive(limit, key)

    async def check(self) -> None:
        """See ``RateLimiter``."""
        try:
            await self._redis.ping()
        except (RedisError, OSError) as error:
            raise LimiterUnavailableError(str(error)) from error

    async def aclose(self) -> None:
        """See ``RateLimiter``."""
        await self._redis.aclose()

    def _name(self, limit: Limit, key: str) -> str:
        # Of one length, whatever people type as their name.
        digest = hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
        return f"{self._prefix}{limit.name}:{limit.amount}:{limit.window}:{digest}"

    def _give_up(self, error: Exception) -> None:
        self._ask_again = time.monotonic() + PAUSE
        _log.warning("attempts are counted by this process alone", error=type(error).__name__)
