"""A lock held in the broker.

The lock is an exclusive queue: only one connection can have it, and the broker deletes it when that connection closes.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiormq
from aiormq import Channel
from aiormq.exceptions import ChannelLockedResource

from metastore.ports.event_bus import BusUnavailableError

_POLL_INTERVAL = 0.05


async def open_channel(connection: aiormq.Connection) -> Channel:
    """Open another channel with publisher confirms."""
    channel = await connection.channel()
    if not isinstance(channel, Channel):
        raise TypeError(f"{channel!r} is not an AMQP channel")
    return channel


@asynccontextmanager
async def broker_lock(connection: aiormq.Connection, name: str, timeout: float) -> AsyncIterator[None]:
    """Hold the lock ``name`` for the block.

    Raises:
        BusUnavailableError: another connection still holds it after ``timeout`` seconds.
    """
    deadline = asyncio.get_running_loop().time() + timeout
    while True:
        channel = await open_channel(connection)
        try:
            await channel.queue_declare(name, exclusive=True)
            break
        except ChannelLockedResource:
            if asyncio.get_running_loop().time() > deadline:
                raise BusUnavailableError(f"RabbitMQ: the lock {name} is held by another connection") from None
            await asyncio.sleep(_POLL_INTERVAL)
    try:
        yield
    finally:
        await channel.queue_delete(name)
        await channel.close()
