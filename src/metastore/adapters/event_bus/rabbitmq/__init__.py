"""The event bus on RabbitMQ (3.10 or later).

::

    publish ──▶ metastore.events (topic) ──file.uploaded──▶ metastore.audit ─────────▶ consumer "audit"
                                         └─file.ready─────▶ metastore.notifications ─▶ consumer "notifications"
                                                              │ after the last try, or the broker's delivery limit
                                                              ▼
                                            metastore.dead (direct) ──▶ metastore.notifications.dead

**Publishing.** A durable topic exchange, the event type as routing key, persistent messages in CloudEvents JSON
(``kit.cloudevents``). A batch goes out without waiting in between and is taken when the broker has confirmed every
message. RabbitMQ confirms what it cannot route, too, so everything that a consumer wants is *mandatory*: what comes
back was not taken. The broker does not say when only some of the queues that want an event are
unbound or deleted, so those of a batch are bound again before it, on the same channel: an unbound one gets the batch, a
deleted one fails it, and is declared before the next. Known limit: what is unbound while a batch is on its way misses
that batch. What no consumer wants is published all the same, for queues that others may have bound, and may vanish.

**Consuming.** A quorum queue for each consumer, with one active consumer at a time: further workers of the same name
stand by and take over within moments, and the order of an aggregate holds. A few handlers run at a time, each for
another aggregate, so that none waits for another's commit. Tries and pauses are those of ``lanes``; an
event is acknowledged after its handler returned, which is after its commit. The broker's delivery limit is far above
the number of tries: it counts every loss of a connection against all that was in hand, and is there for events that
kill their worker.

**Dead events** lie in a quorum queue, which is the only truth about them: the error, the number of tries and the time
are headers. Looking at them takes them and gives them back, so lookers take turns by an exclusive queue that serves as
a lock. Redelivery copies one to its consumer's queue and acknowledges it after the confirm; killed in between it is
delivered and still listed, which the inbox makes harmless. Listing looks at ``PEEK`` events of each queue at most.

**Connections.** One to publish, one for each running consumer, one at a time to look at dead events. Each is watched
by heartbeats and opened again with a growing pause; every wait has an end.

This uses aiormq, the protocol layer under aio-pika and FastStream. FastStream settles a message when its handler ends
and awaits one confirm at a time; here deliveries stay unsettled while their aggregate pauses, hundreds of confirms are
under way at once, and a lost connection must void what was in hand rather than be papered over.
"""

from metastore.adapters.event_bus.rabbitmq.bus import RabbitMqBus

__all__ = ["RabbitMqBus"]
