"""Socket.IO messages between processes, over one channel of Redis.

Implements the library's extension point for that, rather than its own Redis backend, whose pauses between tries grow to
a minute and which closes no sockets in other processes. A message that finds Redis away is dropped with a line in the
log: what must not be lost is saved before it is sent (see ``ports.realtime``).
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from socketio.async_pubsub_manager import (  # type: ignore[import-untyped]  # the package has no types
    AsyncPubSubManager,
)

CHANNEL = "metastore:sockets"
TIMEOUT = 1.0
"""Seconds that a message waits for Redis."""
PAUSE = 1.0
"""Seconds between tries to listen again, and without another message once Redis did not take one."""
_PING_EVERY = 15
_log = structlog.get_logger(__name__)


class RedisFanOut(AsyncPubSubManager):  # type: ignore[misc]  # the package has no types
    """See the module. A ``write_only`` one is for processes that serve no sockets."""

    name = "redis"

    def __init__(self, url: str, *, write_only: bool = False, channel: str = CHANNEL) -> None:
        super().__init__(channel=channel, write_only=write_only)
        once = Retry(NoBackoff(), 1)
        self._sender: Redis = Redis.from_url(url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT, retry=once)
        # A listener waits for as long as nothing is said.
        self._listener: Redis = Redis.from_url(
            url, socket_timeout=None, socket_connect_timeout=TIMEOUT, health_check_interval=_PING_EVERY, retry=once
        )
        self._ask_again = 0.0
        self.is_listening = asyncio.Event()
        """Set while messages of other processes come in."""
        self.close_room_here: Callable[[str], Awaitable[None]] | None = None
        """How sockets of a room are disconnected in this process."""

    async def aclose(self) -> None:
        """Listen no more."""
        listening: asyncio.Task[None] | None = getattr(self, "thread", None)
        if listening is not None:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
        await self._sender.aclose()
        await self._listener.aclose()

    async def _publish(self, data: dict[str, Any]) -> None:
        if time.monotonic() < self._ask_again:
            return
        try:
            await self._sender.publish(self.channel, self.json.dumps(data))
        except (RedisError, OSError) as error:
            # Messages do not queue up behind a Redis that hangs.
            self._ask_again = time.monotonic() + PAUSE
            _log.warning("sockets of other processes not reached", method=data["method"], error=type(error).__name__)

    async def _listen(self) -> AsyncIterator[bytes]:
        while True:
            try:
                async with self._listener.pubsub(ignore_subscribe_messages=True) as channel:
                    await channel.subscribe(self.channel)
                    self.is_listening.set()
                    async for message in channel.listen():
                        yield message["data"]
            except (RedisError, OSError) as error:
                _log.warning("sockets of other processes not heard", error=type(error).__name__)
            self.is_listening.clear()
            await asyncio.sleep(PAUSE)

    async def _handle_close_room(self, message: dict[str, Any]) -> None:
        # For the library, a closed room is one that everybody has left; here its sockets are disconnected.
        if self.close_room_here is not None:
            await self.close_room_here(message["room"])
