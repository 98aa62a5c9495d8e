"""Event bus on RabbitMQ 3.10 or later.

::

    publish ──▶ metastore.events (topic) ──file.uploaded──▶ metastore.audit ─────────▶ consumer "audit"
                                         └─file.ready─────▶ metastore.notifications ─▶ consumer "notifications"
                                                              │ after the last attempt or the delivery limit
                                                              ▼
                                            metastore.dead (direct) ──▶ metastore.notifications.dead

**Publishing.** A durable topic exchange with the event type as routing key; persistent messages in CloudEvents JSON
(``kit.events.cloudevents``). A batch is sent without waiting in between, and is published once the broker has confirmed
every message. RabbitMQ also confirms messages that it cannot route, so every event that has a consumer is sent
*mandatory*: a returned message was not published. The broker does not report a message that reaches only some of its
queues, so the queues that a batch is meant for are bound again beforehand, on the same channel. That repairs a
missing binding. A missing queue fails the batch and is declared again before the next one. Known limit: a queue that
is unbound while a batch is being sent misses that batch. Events without a consumer are published too, for queues that
others may have bound; they may be dropped.

**Consuming.** Each consumer has a quorum queue with a single active consumer: further workers of the same name stand by
and take over within moments, which preserves the order of each aggregate. Several handlers run at a time, each for a
different aggregate, so that none waits for another's commit, and what is prefetched goes to the consumer in batches.
The ``dispatcher`` makes attempts and retries. A message is acknowledged after its handler has returned, and so after
its transaction has committed. The broker's delivery limit is far above the number of attempts: it counts each lost
connection against every unacknowledged message, and exists for events that kill their worker.

**Dead letters** are stored in a quorum queue and nowhere else; the error, the number of attempts and the time are
message headers. Listing them consumes and requeues them, so listings exclude each other through an exclusive queue that
serves as a lock. Redelivery publishes a copy to the consumer's queue and acknowledges the original after the confirm. A
crash in between leaves an event that is both redelivered and listed, which the inbox makes harmless. A listing reads
at most ``LISTING_LIMIT`` messages of each queue.

**Connections.** One for publishing, one for each running consumer, and a temporary one to list dead letters. All have
heartbeats, reconnect with a growing delay, and limit the time of every wait.

This uses aiormq directly, the protocol layer below aio-pika. Higher-level libraries settle a message when its handler
returns and await one confirm at a time. Here deliveries stay unsettled while their aggregate waits for a retry,
hundreds of confirms are pending at once, and a lost connection must invalidate all unsettled deliveries instead of
being hidden by a reconnect.

* ``bus``: ``RabbitMqBus``.
* ``connection``: connections with time limits. ``topology``: exchanges, queues and bindings.
* ``publisher``: publish events. ``queue_consumer``: deliver them to one consumer.
* ``dead_letter``: dead letters as messages. ``dead_letter_queues``: list and redeliver them. ``broker_lock``: the lock.
"""

from metastore.adapters.event_bus.rabbitmq.bus import RabbitMqBus

__all__ = ["RabbitMqBus"]
