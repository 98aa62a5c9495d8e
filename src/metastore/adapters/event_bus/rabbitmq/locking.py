"""A lock that the broker keeps: an exclusive queue, which one connection may have and which goes with it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiormq
from aiormq import Channel
from aiormq.exceptions import ChannelLockedResource

from metastore.ports.event_bus import BusUnavailableError

_TRY_EVERY = 0.05


async def open_channel(connection: aiormq.Connection) -> Channel:
    """Another channel on a connection, with publisher confirms."""
    channel = await connection.channel()
    if not isinstance(channel, Channel):
        raise TypeError(f"{channel!r} is no AMQP channel")
    return channel


@asynccontextmanager
async def locked(connection: aiormq.Connection, name: str, within: float) -> AsyncIterator[None]:
    """Hold the lock ``name`` for the block.

    Raises:
        BusUnavailableError: another connection has held it for ``within`` seconds.
    """
    deadline = asyncio.get_running_loop().time() + within
    while True:
        channel = await open_channel(connection)
        try:
            await channel.queue_declare(name, exclusive=True)
            break
        except ChannelLockedResource:
            if asyncio.get_running_loop().time() > deadline:
                raise BusUnavailableError(f"RabbitMQ: somebody else holds {name}") from None
            await asyncio.sleep(_TRY_EVERY)
    try:
        yield
    finally:
        await channel.queue_delete(name)
        await channel.close()
