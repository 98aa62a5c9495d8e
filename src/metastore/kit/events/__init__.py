"""Domain events, from recording to handling.

* ``event``: the base class of a feature's events.
* ``outbox``: events stored in the transaction of the change. The relay (``processes.relay``) publishes them.
* ``outbox_signal``: waking up the relays of other processes.
* ``cloudevents``: the serialization of events for brokers.
* ``consumer``: the declaration of a feature's handlers. ``processes.consumers`` subscribes them to the bus.
* ``inbox``: the record of handled events, so that each takes effect once per consumer, where a broker delivers them.
* ``positions``: the same record by position, where consumers share the outbox's database.

Delivery is at least once, in order within an aggregate.
"""
