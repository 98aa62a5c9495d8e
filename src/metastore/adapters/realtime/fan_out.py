"""Fan-out of Socket.IO messages to other processes, over one Redis channel.

This implements the library's extension point instead of using its Redis backend, whose retry delay grows to a minute
and which does not close sockets in other processes. While Redis is unavailable, messages are dropped and the failure is
logged: everything that must not be lost is saved before it is sent (see ``ports.realtime``).
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
"""Seconds to wait for Redis when sending."""
RETRY_DELAY = 1.0
"""Seconds between attempts to subscribe, and before sending is tried again after a failure."""
_PING_EVERY = 15
_log = structlog.get_logger(__name__)


class RedisFanOut(AsyncPubSubManager):  # type: ignore[misc]  # the package has no types
    """Fan-out over ``channel`` of the Redis server at ``url``.

    ``write_only`` is for processes that send messages but serve no sockets.
    """

    name = "redis"

    def __init__(self, url: str, *, write_only: bool = False, channel: str = CHANNEL) -> None:
        super().__init__(channel=channel, write_only=write_only)
        once = Retry(NoBackoff(), 1)
        self._sender: Redis = Redis.from_url(url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT, retry=once)
        # No timeout: a subscriber waits as long as there are no messages.
        self._listener: Redis = Redis.from_url(
            url, socket_timeout=None, socket_connect_timeout=TIMEOUT, health_check_interval=_PING_EVERY, retry=once
        )
        self._retry_at = 0.0
        self.is_listening = asyncio.Event()
        """Set while subscribed to the messages from other processes."""
        self.close_local_room: Callable[[str], Awaitable[None]] | None = None
        """Disconnects the sockets of a room in this process; set by ``SocketIoRealtime``."""

    async def aclose(self) -> None:
        """Stop listening and close the connections."""
        listening: asyncio.Task[None] | None = getattr(self, "thread", None)
        if listening is not None:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
        await self._sender.aclose()
        await self._listener.aclose()

    async def _publish(self, data: dict[str, Any]) -> None:
        if time.monotonic() < self._retry_at:
            return
        try:
            await self._sender.publish(self.channel, self.json.dumps(data))
        except (RedisError, OSError) as error:
            # Otherwise each message would wait for the timeout of a hanging server.
            self._retry_at = time.monotonic() + RETRY_DELAY
            _log.warning(
                "fan-out unavailable, message to other processes dropped",
                method=data["method"],
                error=type(error).__name__,
            )

    async def _listen(self) -> AsyncIterator[bytes]:
        while True:
            try:
                async with self._listener.pubsub(ignore_subscribe_messages=True) as channel:
                    await channel.subscribe(self.channel)
                    self.is_listening.set()
                    async for message in channel.listen():
                        yield message["data"]
            except (RedisError, OSError) as error:
                _log.warning("fan-out unavailable, no messages from other processes", error=type(error).__name__)
            self.is_listening.clear()
            await asyncio.sleep(RETRY_DELAY)

    async def _handle_close_room(self, message: dict[str, Any]) -> None:
        # The library only removes the members of a closed room; here their sockets are disconnected.
        if self.close_local_room is not None:
            await self.close_local_room(message["room"])
