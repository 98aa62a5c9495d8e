"""Consume one queue, reconnecting after every failure."""

import asyncio
from collections.abc import Sequence

import structlog
from aiormq import Channel
from aiormq.abc import DeliveredMessage
from pamqp import commands as amqp

from metastore.adapters.event_bus.dispatcher import Dispatcher
from metastore.adapters.event_bus.rabbitmq.connection import Broker, connected
from metastore.adapters.event_bus.rabbitmq.dead_letter import DeadLetter, publish_dead_letter
from metastore.adapters.event_bus.retries import RetryPolicy, describe
from metastore.kit.events import cloudevents
from metastore.kit.events.outbox import RecordedEvent
from metastore.kit.waiting import backoff
from metastore.ports.event_bus import BusUnavailableError, Subscription

_log = structlog.get_logger(__name__)

MAX_UNSETTLED = 500
"""Maximum number of unsettled deliveries in a process, including those that wait for a retry."""
CONCURRENCY = 4
"""Handlers of one consumer that run at a time, so that others make progress while one commits."""
MAX_RECONNECT_DELAY = 5.0
"""Seconds."""


class QueueConsumer:
    """Delivers the events of one queue to its consumer."""

    def __init__(
        self,
        broker: Broker,
        subscriptions: Sequence[Subscription],
        subscription: Subscription,
        retry_policy: RetryPolicy,
    ) -> None:
        self._broker = broker
        self._subscriptions = subscriptions
        self._subscription = subscription
        self._retry_policy = retry_policy
        self._failures = 0

    async def run(self) -> None:
        """Deliver events until cancelled, reconnecting after every failure."""
        while True:
            try:
                await self._serve_connection()
            except BusUnavailableError as error:
                self._failures += 1
                _log.warning(
                    "event queue unavailable",
                    consumer=self._subscription.consumer,
                    failures_in_a_row=self._failures,
                    error=str(error),
                )
                await asyncio.sleep(backoff(self._failures, MAX_RECONNECT_DELAY))

    async def _serve_connection(self) -> None:
        async with connected(self._broker, self._subscriptions) as connection:
            channel = connection.channel
            dispatcher = self._new_dispatcher(channel)
            try:
                await self._consume(channel, dispatcher)
                self._failures = 0
                await asyncio.wait({channel.closing, dispatcher.failed}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                await dispatcher.aclose()
            if dispatcher.failed.done():
                dispatcher.failed.result()
            raise BusUnavailableError("RabbitMQ: connection lost")

    async def _consume(self, channel: Channel, dispatcher: Dispatcher[int]) -> None:
        queue = self._broker.names.queue(self._subscription.consumer)

        async def on_message(message: DeliveredMessage) -> None:
            await self._receive(channel, dispatcher, message)

        def on_cancel(_: amqp.Basic.Cancel) -> None:
            dispatcher.fail(BusUnavailableError(f"RabbitMQ: queue {queue} was deleted"))

        channel.on_consumer_cancel_callbacks.add(on_cancel)
        async with asyncio.timeout(self._broker.connect_timeout):
            await channel.basic_qos(prefetch_count=MAX_UNSETTLED)
            await channel.basic_consume(queue, on_message)

    async def _receive(self, channel: Channel, dispatcher: Dispatcher[int], message: DeliveredMessage) -> None:
        tag = message.delivery_tag
        if tag is None:
            return
        try:
            event = cloudevents.decode(message.body)
        except cloudevents.NotAnEventError as error:
            _log.warning(
                "dead-lettered a message that is not an event", consumer=self._subscription.consumer, error=str(error)
            )
            try:
                message_id = message.header.properties.message_id
                letter = DeadLetter(self._subscription.consumer, message.body, message_id, attempts=1)
                await publish_dead_letter(channel, self._broker, letter, describe(error))
                await channel.basic_ack(tag, wait=False)
            except Exception as failure:  # noqa: BLE001  the broker redelivers the message after the reconnect
                dispatcher.fail(failure)
            return
        dispatcher.add(tag, event)

    def _new_dispatcher(self, channel: Channel) -> Dispatcher[int]:
        async def settle(tag: int) -> None:
            await channel.basic_ack(tag, wait=False)

        async def dead_letter(tag: int, event: RecordedEvent, attempts: int, error: str) -> None:
            letter = DeadLetter(self._subscription.consumer, cloudevents.encode(event), event.id, attempts)
            await publish_dead_letter(channel, self._broker, letter, error)
            await channel.basic_ack(tag, wait=False)

        return Dispatcher(
            self._subscription, self._retry_policy, settle=settle, dead_letter=dead_letter, concurrency=CONCURRENCY
        )
