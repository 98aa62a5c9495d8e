"""The cluster and its topics."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient, NewTopic  # type: ignore[import-untyped]  # the package has no types
from aiokafka.errors import TopicAlreadyExistsError, for_code  # type: ignore[import-untyped]  # the package has no types

from metastore.ports.event_bus import Subscription

PARTITIONS = 6
"""How many processes of one consumer can share the work."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where the brokers are, what our topics begin with, and how long an answer may take (seconds)."""

    servers: str
    prefix: str = "metastore"
    answer_within: float = 15.0
    session: float = 10.0
    """After so long without a sign of life a process of a group is taken for dead."""

    @property
    def events(self) -> str:
        """The topic of all events."""
        return f"{self.prefix}.events"

    def group(self, consumer: str) -> str:
        """The consumer group of a consumer."""
        return f"{self.prefix}.{consumer}"

    def dead(self, consumer: str) -> str:
        """The topic of its dead events."""
        return f"{self.prefix}.{consumer}.dead"

    def again(self, consumer: str) -> str:
        """The topic of what is redelivered to it."""
        return f"{self.prefix}.{consumer}.again"


async def create_topics(cluster: Cluster, subscriptions: Sequence[Subscription]) -> None:
    """Create what is missing, with up to three copies."""
    admin = AIOKafkaAdminClient(bootstrap_servers=cluster.servers)
    async with asyncio.timeout(cluster.answer_within):
        await admin.start()
        try:
            copies = min(3, len((await admin.describe_cluster())["brokers"]))
            wanted = _wanted(cluster, subscriptions, copies)
            missing = wanted.keys() - set(await admin.list_topics())
            if not missing:
                return
            answer = await admin.create_topics([wanted[name] for name in sorted(missing)])
            for _, code, *_ in answer.topic_errors:
                if code and for_code(code) is not TopicAlreadyExistsError:
                    raise for_code(code)
        finally:
            await admin.close()


def _wanted(cluster: Cluster, subscriptions: Sequence[Subscription], copies: int) -> dict[str, NewTopic]:
    wanted = {cluster.events: NewTopic(cluster.events, PARTITIONS, copies)}
    for subscription in subscriptions:
        again, dead = cluster.again(subscription.consumer), cluster.dead(subscription.consumer)
        wanted[again] = NewTopic(again, 1, copies)
        wanted[dead] = NewTopic(dead, 1, copies, topic_configs={"cleanup.policy": "compact"})
    return wanted
