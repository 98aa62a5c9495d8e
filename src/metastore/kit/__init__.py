"""Mechanisms that every feature uses. Nothing here knows a feature.

* ``database``: engines, the unit of work and the base of all tables.
* ``events``: domain events, the transactional outbox, the inbox and consumers.
* ``saga``: work of several steps with retries and compensation.
* ``idempotency``: the ``Idempotency-Key`` header.
* ``api``: base classes of API shapes, cursor pagination and periods of time.
* ``http``: the services that endpoints depend on.
* ``problem``: error responses.
* ``context``, ``clock``, ``ids``: the current request, the time and new identifiers.
"""
