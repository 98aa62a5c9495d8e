"""A connection to the broker with one channel on it, where every wait has an end."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import aiormq
from aiormq import Channel
from yarl import URL

from metastore.adapters.event_bus.rabbitmq.locking import open_channel
from metastore.adapters.event_bus.rabbitmq.topology import Names, declare
from metastore.ports.event_bus import BusUnavailableError, Subscription

# What it logs of a broker that is away, we say ourselves, once.
logging.getLogger("aiormq").setLevel(logging.CRITICAL)

CLOSE_WITHIN = 1.0


@dataclass(frozen=True, slots=True)
class Broker:
    """How to reach the broker, and how long to wait for it (seconds).

    ``open_within`` limits each step until a connection has proved itself: connecting with its declarations, the first
    batch, the beginning of a consumer. What a broker that has just started is asked before a queue has its leader it
    may never answer, while it answers the next connection at once. ``answer_within`` limits the confirming of a later
    batch: a broker short of memory or disk lets publishers wait. A connection is given up after three ``heartbeat``
    without a sign of life.
    """

    url: str
    names: Names
    answer_within: float = 15.0
    heartbeat: int = 6
    open_within: float = 3.0


class Link:
    """One connection and its channel."""

    def __init__(self, connection: aiormq.Connection, channel: Channel) -> None:
        self.connection = connection
        self.channel = channel
        self.proven = False
        """Set by whoever got an answer that needed a queue's leader."""

    @property
    def is_open(self) -> bool:
        """Whether it has not been seen to fail."""
        return not (self.connection.is_closed or self.channel.is_closed)

    async def aclose(self) -> None:
        """Close it; a broker that does not answer is not waited for."""
        await _close(self.connection)


async def open_link(broker: Broker, subscriptions: Sequence[Subscription]) -> Link:
    """Connect and declare what ``subscriptions`` need.

    Raises:
        BusUnavailableError: the broker cannot be reached or refuses.
    """
    connection = aiormq.Connection(str(URL(broker.url).update_query(heartbeat=str(broker.heartbeat))))
    try:
        with broker_faults():
            async with asyncio.timeout(broker.open_within):
                await connection.connect()
                channel = await open_channel(connection)
                await declare(channel, broker.names, subscriptions)
    except BaseException:
        await _close(connection)
        raise
    return Link(connection, channel)


@asynccontextmanager
async def linked(broker: Broker, subscriptions: Sequence[Subscription]) -> AsyncIterator[Link]:
    """A link for the block.

    Raises:
        BusUnavailableError: the broker cannot be reached or refuses, or fails within the block.
    """
    link = await open_link(broker, subscriptions)
    try:
        with broker_faults():
            yield link
    finally:
        await link.aclose()


@contextmanager
def broker_faults() -> Iterator[None]:
    """Turn what goes wrong in the block into ``BusUnavailableError``.

    A dying connection ends what waits for it with all kinds of errors, ``CancelledError`` among them; only a
    cancellation that somebody asked for goes through.
    """
    try:
        yield
    except BusUnavailableError:
        raise
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        raise unavailable(error) from error
    except Exception as error:
        raise unavailable(error) from error


def unavailable(error: BaseException) -> BusUnavailableError:
    """The error in the words of the port."""
    reason = str(error).splitlines()[0] if str(error) else "it does not answer"
    return BusUnavailableError(f"RabbitMQ: {type(error).__name__}: {reason}")


async def _close(connection: aiormq.Connection) -> None:
    with contextlib.suppress(BusUnavailableError), broker_faults():
        async with asyncio.timeout(CLOSE_WITHIN):
            await connection.close()
