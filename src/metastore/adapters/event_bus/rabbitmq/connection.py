"""Connections to the broker with one channel each; every wait is limited in time."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import aiormq
from aiormq import Channel
from yarl import URL

from metastore.adapters.event_bus.rabbitmq.broker_lock import open_channel
from metastore.adapters.event_bus.rabbitmq.topology import Names, declare
from metastore.ports.event_bus import BusUnavailableError, Subscription

# aiormq logs an unreachable broker over and over; our callers log it once.
logging.getLogger("aiormq").setLevel(logging.CRITICAL)

CLOSE_TIMEOUT = 1.0


@dataclass(frozen=True, slots=True)
class Broker:
    """The broker's address and timeouts, in seconds.

    ``connect_timeout`` limits each step until the connection is proven: connecting with all declarations, the first
    batch, starting a consumer. It is short because a broker that has just started may never respond to a request that
    it received before a queue had elected its leader, but responds to the next connection at once.
    ``request_timeout`` limits the confirms of later batches: a broker short of memory or disk delays publishers.
    A connection is closed after three ``heartbeat`` intervals without a frame from the broker.
    """

    url: str
    names: Names
    request_timeout: float = 15.0
    heartbeat: int = 6
    connect_timeout: float = 3.0


class BrokerConnection:
    """A connection (``transport``) and its channel."""

    def __init__(self, transport: aiormq.Connection, channel: Channel) -> None:
        self.transport = transport
        self.channel = channel
        self.proven = False
        """Set by the caller after a response that needed a queue's leader."""

    @property
    def is_open(self) -> bool:
        """Whether no failure of the connection or the channel is known."""
        return not (self.transport.is_closed or self.channel.is_closed)

    async def aclose(self) -> None:
        """Close the connection, waiting at most ``CLOSE_TIMEOUT`` seconds for the broker."""
        await _close(self.transport)


async def open_connection(broker: Broker, subscriptions: Sequence[Subscription]) -> BrokerConnection:
    """Connect and declare the exchanges and queues of ``subscriptions``.

    Raises:
        BusUnavailableError: the broker is unreachable or refused a request.
    """
    transport = aiormq.Connection(str(URL(broker.url).update_query(heartbeat=str(broker.heartbeat))))
    try:
        with broker_errors():
            async with asyncio.timeout(broker.connect_timeout):
                await transport.connect()
                channel = await open_channel(transport)
                await declare(channel, broker.names, subscriptions)
    except BaseException:
        await _close(transport)
        raise
    return BrokerConnection(transport, channel)


@asynccontextmanager
async def connected(broker: Broker, subscriptions: Sequence[Subscription]) -> AsyncIterator[BrokerConnection]:
    """Open a connection for the block.

    Raises:
        BusUnavailableError: the broker is unreachable, refused a request, or failed within the block.
    """
    connection = await open_connection(broker, subscriptions)
    try:
        with broker_errors():
            yield connection
    finally:
        await connection.aclose()


@contextmanager
def broker_errors() -> Iterator[None]:
    """Raise ``BusUnavailableError`` for any error within the block.

    A lost connection ends pending calls with all kinds of errors, ``CancelledError`` among them. Only a genuine
    cancellation of the current task is passed on.
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
    """Return the port's error for ``error``."""
    reason = str(error).splitlines()[0] if str(error) else "no response"
    return BusUnavailableError(f"RabbitMQ: {type(error).__name__}: {reason}")


async def _close(transport: aiormq.Connection) -> None:
    with contextlib.suppress(BusUnavailableError), broker_errors():
        async with asyncio.timeout(CLOSE_TIMEOUT):
            await transport.close()
