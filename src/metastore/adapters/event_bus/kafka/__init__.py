"""Event bus on Kafka, or any broker that speaks its protocol.

**Topics.**

* ``metastore.events`` holds every event, keyed by aggregate, so that all events of an aggregate are in one partition,
  in order. All types share one topic: with a topic for each, there would be no order between types.
* ``metastore.<consumer>.dead`` is the consumer's dead-letter topic, keyed by dead-letter id, with the error in the
  headers. It is compacted; a record without a value (a tombstone) means that the event was redelivered.
* ``metastore.<consumer>.again`` holds the events that were redelivered to this consumer.

**Consuming.** Each consumer is a consumer group, ``metastore.<consumer>``, whose processes share the partitions. Events
of types that it does not subscribe to are skipped in the process.

Offsets are committed explicitly, and only up to the first unsettled event. An event that waits for its next attempt
(see ``dispatcher``) holds back the committed offset, but not the events behind it: those are handled, and delivered
again if the process dies. The topic's retention limits how long an event waits for a consumer's first start.

This uses aiokafka directly because deliveries must stay unsettled while their aggregate waits for a retry; frameworks
such as FastStream commit the offset when a handler returns.

* ``bus``: ``KafkaBus``.
* ``topics``: names and creation of the topics. ``records``: encode events and dead letters.
* ``producer``: write records. ``group_consumer``: deliver them to one consumer.
* ``dead_letter_topics``: list dead letters and redeliver them.
* ``errors``: translate Kafka errors into those of the port.
"""

from metastore.adapters.event_bus.kafka.bus import KafkaBus

__all__ = ["KafkaBus"]
