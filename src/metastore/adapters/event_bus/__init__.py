"""Adapters of the ``event_bus`` port.

* ``inprocess``: durable queues in the product's own database, for a single process.
* ``rabbitmq``, ``kafka``: a broker that several processes share.
* ``dispatcher``: ordered delivery with retries, used by the broker adapters.
* ``outages``: keeps outages from counting as delivery attempts, used by all of them.
"""
