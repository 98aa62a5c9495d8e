"""Names of the cluster's topics, and their creation."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient, NewTopic  # type: ignore[import-untyped]  # the package has no types
from aiokafka.errors import TopicAlreadyExistsError, for_code  # type: ignore[import-untyped]  # the package has no types

from metastore.ports.event_bus import Subscription

PARTITIONS = 6
"""Partitions of the event topic: the maximum number of processes that share the work of one consumer."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """The brokers' addresses, the prefix of all topic names, and timeouts in seconds.

    ``request_timeout`` limits each request.
    """

    servers: str
    prefix: str = "metastore"
    request_timeout: float = 15.0
    session_timeout: float = 10.0
    """Time without a heartbeat after which the group considers a process dead."""

    @property
    def events(self) -> str:
        """Name of the topic of all events."""
        return f"{self.prefix}.events"

    def group(self, consumer: str) -> str:
        """Name of a consumer's group."""
        return f"{self.prefix}.{consumer}"

    def dead(self, consumer: str) -> str:
        """Name of a consumer's dead-letter topic."""
        return f"{self.prefix}.{consumer}.dead"

    def redelivered(self, consumer: str) -> str:
        """Name of the topic of events redelivered to a consumer."""
        return f"{self.prefix}.{consumer}.again"


async def create_topics(cluster: Cluster, subscriptions: Sequence[Subscription]) -> None:
    """Create missing topics, replicated to up to three brokers."""
    admin = AIOKafkaAdminClient(bootstrap_servers=cluster.servers)
    async with asyncio.timeout(cluster.request_timeout):
        await admin.start()
        try:
            replicas = min(3, len((await admin.describe_cluster())["brokers"]))
            required = _required_topics(cluster, subscriptions, replicas)
            missing = required.keys() - set(await admin.list_topics())
            if not missing:
                return
            response = await admin.create_topics([required[name] for name in sorted(missing)])
            for _, code, *_ in response.topic_errors:
                if code and for_code(code) is not TopicAlreadyExistsError:
                    raise for_code(code)
        finally:
            await admin.close()


def _required_topics(cluster: Cluster, subscriptions: Sequence[Subscription], replicas: int) -> dict[str, NewTopic]:
    required = {cluster.events: NewTopic(cluster.events, PARTITIONS, replicas)}
    for subscription in subscriptions:
        redelivered, dead = cluster.redelivered(subscription.consumer), cluster.dead(subscription.consumer)
        required[redelivered] = NewTopic(redelivered, 1, replicas)
        required[dead] = NewTopic(dead, 1, replicas, topic_configs={"cleanup.policy": "compact"})
    return required
