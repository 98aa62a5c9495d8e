"""Serving one consumer's queue, over one connection after another."""

import asyncio
from collections.abc import Sequence

import structlog
from aiormq import Channel
from aiormq.abc import DeliveredMessage
from pamqp import commands as amqp

from metastore.adapters.event_bus.lanes import Lanes, Pacing, in_words
from metastore.adapters.event_bus.rabbitmq.burial import Burial, bury
from metastore.adapters.event_bus.rabbitmq.link import Broker, linked
from metastore.kit import cloudevents
from metastore.kit.outbox import RecordedEvent
from metastore.ports.event_bus import BusUnavailableError, Subscription

_log = structlog.get_logger(__name__)

IN_HAND = 500
"""Deliveries that a process holds at most; what waits for its next try counts among them."""
SIDE_BY_SIDE = 4
"""Handlers of one consumer that run at a time, each for another aggregate: while one commits, others work."""
LONGEST_PAUSE = 5.0


class Consuming:
    """Delivers one queue's events to its consumer."""

    def __init__(
        self, broker: Broker, subscriptions: Sequence[Subscription], mine: Subscription, pacing: Pacing
    ) -> None:
        self._broker = broker
        self._subscriptions = subscriptions
        self._mine = mine
        self._pacing = pacing
        self._failures = 0

    async def run(self) -> None:
        """Serve until cancelled, whatever happens to the broker."""
        while True:
            try:
                await self._serve()
            except BusUnavailableError as error:
                self._failures += 1
                _log.warning(
                    "a queue cannot be served",
                    consumer=self._mine.consumer,
                    failures_in_a_row=self._failures,
                    error=str(error),
                )
                await asyncio.sleep(min(LONGEST_PAUSE, 0.1 * 2**self._failures))

    async def _serve(self) -> None:
        async with linked(self._broker, self._subscriptions) as link:
            channel = link.channel
            lanes = self._lanes(channel)
            try:
                await self._consume(channel, lanes)
                self._failures = 0
                await asyncio.wait({channel.closing, lanes.broken}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                await lanes.aclose()
            if lanes.broken.done():
                lanes.broken.result()
            raise BusUnavailableError("RabbitMQ: the connection is lost")

    async def _consume(self, channel: Channel, lanes: Lanes[int]) -> None:
        queue = self._broker.names.queue(self._mine.consumer)

        async def on_message(message: DeliveredMessage) -> None:
            await self._take(channel, lanes, message)

        def on_cancel(_: amqp.Basic.Cancel) -> None:
            lanes.break_off(BusUnavailableError(f"RabbitMQ: the queue {queue} was deleted"))

        channel.on_consumer_cancel_callbacks.add(on_cancel)
        async with asyncio.timeout(self._broker.open_within):
            await channel.basic_qos(prefetch_count=IN_HAND)
            await channel.basic_consume(queue, on_message)

    async def _take(self, channel: Channel, lanes: Lanes[int], message: DeliveredMessage) -> None:
        tag = message.delivery_tag
        if tag is None:
            return
        try:
            event = cloudevents.decode(message.body)
        except cloudevents.NotAnEventError as error:
            _log.warning("what came is no event", consumer=self._mine.consumer, error=str(error))
            try:
                burial = Burial(self._mine.consumer, message.body, message.header.properties.message_id, 1)
                await bury(channel, self._broker, burial, in_words(error))
                await channel.basic_ack(tag, wait=False)
            except Exception as failure:  # noqa: BLE001  the connection is opened anew, and the message comes again
                lanes.break_off(failure)
            return
        lanes.add(tag, event)

    def _lanes(self, channel: Channel) -> Lanes[int]:
        async def settle(tag: int) -> None:
            await channel.basic_ack(tag, wait=False)

        async def set_aside(tag: int, event: RecordedEvent, attempts: int, error: str) -> None:
            burial = Burial(self._mine.consumer, cloudevents.encode(event), event.id, attempts)
            await bury(channel, self._broker, burial, error)
            await channel.basic_ack(tag, wait=False)

        return Lanes(self._mine, self._pacing, settle=settle, bury=set_aside, side_by_side=SIDE_BY_SIDE)
