"""Adapters of the ``event_bus`` port.

* ``inprocess``: consumers on the outbox itself, without a broker.
* ``rabbitmq``, ``kafka``: a broker that several processes share.
* ``dispatcher``: ordered delivery in batches, with retries, used by the broker adapters.
* ``retries``: when to retry a failed event, used by all of them.
* ``outages``: keeps outages from counting as delivery attempts, used by all of them.
"""
