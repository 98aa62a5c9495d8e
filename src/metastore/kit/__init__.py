"""Mechanisms that every feature uses. Nothing here knows a feature.

* ``database``: engines, the unit of work and the base of all tables.
* ``events``: domain events, the transactional outbox, the inbox and consumers.
* ``saga``: work of several steps with retries and compensation.
* ``idempotency``: the ``Idempotency-Key`` header.
* ``api``: base classes of API shapes, error responses and their codes, cursor pagination, periods of time.
* ``http``: services as dependencies of endpoints.
* ``context``, ``clock``, ``ids``: the current request, the time and new identifiers.
"""
