"""What the broker must have: exchanges, queues and bindings. Declaring is harmless when repeated."""

from collections.abc import Sequence
from dataclasses import dataclass

from aiormq import Channel
from pamqp.common import FieldTable

from metastore.ports.event_bus import Subscription

DELIVERY_LIMIT = 50
"""Deliveries, lost connections included, after which the broker itself sets an event aside."""
EVERYTHING = "#"
"""The key that binds a queue to events of all types."""
_PEEK_LIMIT = 1_000_000
"""Looking at a dead event counts as a delivery; newer brokers would set one aside after 20."""


@dataclass(frozen=True, slots=True)
class Names:
    """The names of everything of ours on a broker; ``prefix`` keeps products on one broker apart."""

    prefix: str = "metastore"

    @property
    def events(self) -> str:
        """The exchange that events are published on."""
        return f"{self.prefix}.events"

    @property
    def dead_exchange(self) -> str:
        """The exchange that dead events go through, with the consumer's name as routing key."""
        return f"{self.prefix}.dead"

    @property
    def lock(self) -> str:
        """The exclusive queue which is held by whoever looks at dead events."""
        return f"{self.prefix}.dead.lock"

    def queue(self, consumer: str) -> str:
        """The queue of a consumer."""
        return f"{self.prefix}.{consumer}"

    def dead(self, consumer: str) -> str:
        """The queue of its dead events."""
        return f"{self.prefix}.{consumer}.dead"


def queue_arguments(names: Names, consumer: str) -> FieldTable:
    """What a consumer's queue is declared with; the broker refuses another declaration of the same name."""
    return {
        "x-queue-type": "quorum",
        "x-single-active-consumer": True,
        "x-delivery-limit": DELIVERY_LIMIT,
        "x-dead-letter-exchange": names.dead_exchange,
        "x-dead-letter-routing-key": consumer,
        # Without these two, dead-lettering by the broker could lose a message.
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }


def routing_keys(subscription: Subscription) -> list[str]:
    """The keys by which a consumer's queue is bound."""
    return sorted(subscription.event_types) or [EVERYTHING]


async def declare(channel: Channel, names: Names, subscriptions: Sequence[Subscription]) -> None:
    """Declare everything that these consumers need."""
    await channel.exchange_declare(names.events, exchange_type="topic", durable=True)
    await channel.exchange_declare(names.dead_exchange, exchange_type="direct", durable=True)
    for subscription in subscriptions:
        consumer = subscription.consumer
        dead: FieldTable = {"x-queue-type": "quorum", "x-delivery-limit": _PEEK_LIMIT}
        await channel.queue_declare(names.dead(consumer), durable=True, arguments=dead)
        await channel.queue_bind(names.dead(consumer), names.dead_exchange, routing_key=consumer)
        arguments = queue_arguments(names, consumer)
        await channel.queue_declare(names.queue(consumer), durable=True, arguments=arguments)
        for key in routing_keys(subscription):
            await channel.queue_bind(names.queue(consumer), names.events, routing_key=key)
