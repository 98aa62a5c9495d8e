"""Publish events to the exchange: pipelined, confirmed and mandatory.

The broker returns a *mandatory* message only if it reaches no queue. If an event has several consumers and one of their
queues is unbound, the broker reports nothing. Those queues are therefore bound again before each batch, on the same
channel, which the broker processes in order. An existing binding is left unchanged. A missing queue closes the channel
before anything is published, and the next connection declares the queue.
"""

import asyncio
from collections.abc import Sequence

from aiormq.exceptions import PublishError
from pamqp import commands as amqp
from pamqp.common import FieldTable

from metastore.adapters.event_bus.rabbitmq.connection import (
    Broker,
    BrokerConnection,
    broker_errors,
    open_connection,
)
from metastore.adapters.event_bus.rabbitmq.topology import ALL_TYPES
from metastore.kit.events import cloudevents
from metastore.kit.events.outbox import RecordedEvent
from metastore.ports.event_bus import BusUnavailableError, Subscription

PERSISTENT = 2
"""AMQP delivery mode of messages that survive a restart of the broker."""


class Publisher:
    """Publishes over one connection, opened on first use and again after a failure."""

    def __init__(self, broker: Broker, subscriptions: Sequence[Subscription]) -> None:
        self._broker = broker
        self._subscriptions = subscriptions
        self._connection: BrokerConnection | None = None
        # One batch at a time: concurrent batches could reorder the events of an aggregate.
        self._lock = asyncio.Lock()

    async def publish(self, events: Sequence[RecordedEvent]) -> None:
        """Implement ``EventBus.publish``."""
        async with self._lock:
            connection = await self._connect()
            confirmed: set[str] = set()
            try:
                returned = await self._publish(connection, events, confirmed)
                connection.proven = True
            except BusUnavailableError as error:
                await self._drop()
                raise BusUnavailableError(str(error), taken=frozenset(confirmed)) from error
            except BaseException:
                await self._drop()  # Otherwise pending confirms could be mistaken for those of the next batch.
                raise
        if returned:
            refused = frozenset(event.id for event in events) - confirmed
            message = f"RabbitMQ: {len(refused)} of {len(events)} events could not be routed: {returned[0]}"
            raise BusUnavailableError(message, taken=frozenset(confirmed), refused=refused)

    async def check(self) -> None:
        """Return once the broker has responded.

        Raises:
            BusUnavailableError: it did not.
        """
        async with self._lock:
            connection = await self._connect()
            try:
                with broker_errors():
                    async with asyncio.timeout(self._broker.connect_timeout):
                        await connection.channel.exchange_declare(self._broker.names.events, passive=True)
            except BaseException:
                await self._drop()
                raise

    async def aclose(self) -> None:
        """Close the connection."""
        await self._drop()

    async def _publish(
        self, connection: BrokerConnection, events: Sequence[RecordedEvent], confirmed: set[str]
    ) -> list[PublishError]:
        async def publish_one(event: RecordedEvent) -> None:
            await connection.channel.basic_publish(
                cloudevents.encode(event),
                exchange=self._broker.names.events,
                routing_key=event.event_type,
                mandatory=any(subscription.accepts(event.event_type) for subscription in self._subscriptions),
                properties=properties(event),
                wait=False,
            )
            confirmed.add(event.id)

        timeout = self._broker.request_timeout if connection.proven else self._broker.connect_timeout
        with broker_errors():
            async with asyncio.timeout(timeout):
                await self._bind(connection, events)
                outcomes = await asyncio.gather(*map(publish_one, events), return_exceptions=True)
            returned = [outcome for outcome in outcomes if isinstance(outcome, PublishError)]
            for outcome in outcomes:
                if outcome is not None and not isinstance(outcome, PublishError):
                    raise outcome
        return returned

    async def _bind(self, connection: BrokerConnection, events: Sequence[RecordedEvent]) -> None:
        names = self._broker.names
        bindings: set[tuple[str, str]] = set()
        for event_type in {event.event_type for event in events}:
            subscribed = [subscription for subscription in self._subscriptions if subscription.accepts(event_type)]
            if len(subscribed) > 1:  # An unroutable event of a single consumer is returned by the broker.
                bindings.update((each.consumer, event_type if each.event_types else ALL_TYPES) for each in subscribed)
        for consumer, key in sorted(bindings):
            await connection.channel.queue_bind(names.queue(consumer), names.events, routing_key=key, nowait=True)

    async def _connect(self) -> BrokerConnection:
        if self._connection is None or not self._connection.is_open:
            await self._drop()
            self._connection = await open_connection(self._broker, self._subscriptions)
        return self._connection

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.aclose()


def properties(event: RecordedEvent, headers: FieldTable | None = None) -> amqp.Basic.Properties:
    """Return the message properties of an event."""
    return amqp.Basic.Properties(
        content_type=cloudevents.CONTENT_TYPE,
        delivery_mode=PERSISTENT,
        message_id=event.id,
        message_type=event.event_type,
        timestamp=event.created_at,
        headers=headers or {},
    )
