"""Handing events over to the exchange: pipelined, confirmed, mandatory.

*Mandatory* tells only of a message that no queue took at all. Of one that several consumers want, and one queue of
theirs is unbound, the broker says nothing: so these queues are bound again on the channel before the batch, which the
broker works through in order. A binding that is there stays as it is; a queue that is not there ends the channel,
nothing of the batch is taken, and the next connection declares the queue.
"""

import asyncio
from collections.abc import Sequence

from aiormq.exceptions import PublishError
from pamqp import commands as amqp
from pamqp.common import FieldTable

from metastore.adapters.event_bus.rabbitmq.link import Broker, Link, broker_faults, open_link
from metastore.adapters.event_bus.rabbitmq.topology import EVERYTHING
from metastore.kit import cloudevents
from metastore.kit.outbox import RecordedEvent
from metastore.ports.event_bus import BusUnavailableError, Subscription

PERSISTENT = 2


class Publisher:
    """Publishes over one connection, which it opens when needed and drops when it failed."""

    def __init__(self, broker: Broker, subscriptions: Sequence[Subscription]) -> None:
        self._broker = broker
        self._subscriptions = subscriptions
        self._link: Link | None = None
        # One batch at a time: batches side by side could turn round the order within an aggregate.
        self._turn = asyncio.Lock()

    async def publish(self, events: Sequence[RecordedEvent]) -> None:
        """See ``EventBus.publish``."""
        async with self._turn:
            link = await self._opened()
            taken: set[str] = set()
            try:
                returned = await self._publish(link, events, taken)
                link.proven = True
            except BusUnavailableError as error:
                await self._drop()
                raise BusUnavailableError(str(error), taken=frozenset(taken)) from error
            except BaseException:
                await self._drop()  # a channel with confirms under way is no good for another batch
                raise
        if returned:
            refused = frozenset(event.id for event in events) - taken
            what = f"RabbitMQ: no queue takes {len(refused)} of {len(events)} events: {returned[0]}"
            raise BusUnavailableError(what, taken=frozenset(taken), refused=refused)

    async def check(self) -> None:
        """Return when the broker answers."""
        async with self._turn:
            link = await self._opened()
            try:
                with broker_faults():
                    async with asyncio.timeout(self._broker.open_within):
                        await link.channel.exchange_declare(self._broker.names.events, passive=True)
            except BaseException:
                await self._drop()
                raise

    async def aclose(self) -> None:
        """Close the connection."""
        await self._drop()

    async def _publish(self, link: Link, events: Sequence[RecordedEvent], taken: set[str]) -> list[PublishError]:
        async def one(event: RecordedEvent) -> None:
            await link.channel.basic_publish(
                cloudevents.encode(event),
                exchange=self._broker.names.events,
                routing_key=event.event_type,
                mandatory=any(subscription.wants(event.event_type) for subscription in self._subscriptions),
                properties=properties(event),
                wait=False,
            )
            taken.add(event.id)

        within = self._broker.answer_within if link.proven else self._broker.open_within
        with broker_faults():
            async with asyncio.timeout(within):
                await self._bind(link, events)
                outcomes = await asyncio.gather(*map(one, events), return_exceptions=True)
            returned = [outcome for outcome in outcomes if isinstance(outcome, PublishError)]
            for outcome in outcomes:
                if outcome is not None and not isinstance(outcome, PublishError):
                    raise outcome
        return returned

    async def _bind(self, link: Link, events: Sequence[RecordedEvent]) -> None:
        names = self._broker.names
        bindings: set[tuple[str, str]] = set()
        for event_type in {event.event_type for event in events}:
            wanting = [subscription for subscription in self._subscriptions if subscription.wants(event_type)]
            if len(wanting) > 1:  # of a queue that is alone the broker tells
                bindings.update((each.consumer, event_type if each.event_types else EVERYTHING) for each in wanting)
        for consumer, key in sorted(bindings):
            await link.channel.queue_bind(names.queue(consumer), names.events, routing_key=key, nowait=True)

    async def _opened(self) -> Link:
        if self._link is None or not self._link.is_open:
            await self._drop()
            self._link = await open_link(self._broker, self._subscriptions)
        return self._link

    async def _drop(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            await link.aclose()


def properties(event: RecordedEvent, headers: FieldTable | None = None) -> amqp.Basic.Properties:
    """The message properties of an event."""
    return amqp.Basic.Properties(
        content_type=cloudevents.CONTENT_TYPE,
        delivery_mode=PERSISTENT,
        message_id=event.id,
        message_type=event.event_type,
        timestamp=event.created_at,
        headers=headers or {},
    )
