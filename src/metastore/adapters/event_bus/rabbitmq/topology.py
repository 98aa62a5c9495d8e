"""The exchanges, queues and bindings on the broker. Declaring them is idempotent."""

from collections.abc import Sequence
from dataclasses import dataclass

from aiormq import Channel
from pamqp.common import FieldTable

from metastore.ports.event_bus import Subscription

DELIVERY_LIMIT = 50
"""Deliveries, including those cut off by a lost connection, after which the broker dead-letters a message."""
ALL_TYPES = "#"
"""Routing key that binds a queue to events of all types."""
_DEAD_LETTER_DELIVERY_LIMIT = 1_000_000
"""Each listing delivers all dead letters once. Newer brokers default to 20 and would then drop them."""


@dataclass(frozen=True, slots=True)
class Names:
    """Names of the exchanges and queues; ``prefix`` separates instances that share a broker."""

    prefix: str = "metastore"

    @property
    def events(self) -> str:
        """Name of the exchange that events are published to."""
        return f"{self.prefix}.events"

    @property
    def dead_exchange(self) -> str:
        """Name of the dead-letter exchange; the routing key is the consumer's name."""
        return f"{self.prefix}.dead"

    @property
    def lock(self) -> str:
        """Name of the exclusive queue that serves as the lock for listing dead letters."""
        return f"{self.prefix}.dead.lock"

    def queue(self, consumer: str) -> str:
        """Name of a consumer's queue."""
        return f"{self.prefix}.{consumer}"

    def dead(self, consumer: str) -> str:
        """Name of a consumer's dead-letter queue."""
        return f"{self.prefix}.{consumer}.dead"


def queue_arguments(names: Names, consumer: str) -> FieldTable:
    """Return the arguments of a consumer's queue.

    They must never change: the broker refuses to declare an existing queue with other arguments.
    """
    return {
        "x-queue-type": "quorum",
        "x-single-active-consumer": True,
        "x-delivery-limit": DELIVERY_LIMIT,
        "x-dead-letter-exchange": names.dead_exchange,
        "x-dead-letter-routing-key": consumer,
        # With the defaults, the broker could lose a message while dead-lettering it.
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }


def routing_keys(subscription: Subscription) -> list[str]:
    """Return the routing keys that a consumer's queue is bound with."""
    return sorted(subscription.event_types) or [ALL_TYPES]


async def declare(channel: Channel, names: Names, subscriptions: Sequence[Subscription]) -> None:
    """Declare the exchanges, and the queues and bindings of all ``subscriptions``."""
    await channel.exchange_declare(names.events, exchange_type="topic", durable=True)
    await channel.exchange_declare(names.dead_exchange, exchange_type="direct", durable=True)
    for subscription in subscriptions:
        consumer = subscription.consumer
        dead: FieldTable = {"x-queue-type": "quorum", "x-delivery-limit": _DEAD_LETTER_DELIVERY_LIMIT}
        await channel.queue_declare(names.dead(consumer), durable=True, arguments=dead)
        await channel.queue_bind(names.dead(consumer), names.dead_exchange, routing_key=consumer)
        arguments = queue_arguments(names, consumer)
        await channel.queue_declare(names.queue(consumer), durable=True, arguments=arguments)
        for key in routing_keys(subscription):
            await channel.queue_bind(names.queue(consumer), names.events, routing_key=key)
