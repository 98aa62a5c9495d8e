"""The event bus on Kafka, or what speaks its protocol.

* ``metastore.events``: every event, keyed by its aggregate, so that what is about one thing lies in one partition, in
  order. One topic for all types: with a topic for each, no order would hold between the types of one aggregate.
* A consumer is a consumer group of its name, ``metastore.<consumer>``; its processes share the partitions. Types that
  it does not want are passed over here.
* ``metastore.<consumer>.dead``: dead events, keyed by their ids, with the error in the headers; compacted. A record
  without a value says that the event was redelivered.
* ``metastore.<consumer>.again``: what was redelivered, for this consumer alone.

Offsets are committed by hand, and only up to the first event that is not done with: one that waits for its next try
(``lanes``) holds back the offset and not the events behind it, which are handled, and delivered again should the
process die. How long an event waits for a consumer's first start is a matter of the topic's retention.

This uses aiokafka itself, as the RabbitMQ bus uses aiormq, and for the same reason: FastStream ties an offset to the
end of a handler.
"""

from metastore.adapters.event_bus.kafka.bus import KafkaBus

__all__ = ["KafkaBus"]
