"""Mechanisms that every feature uses. Nothing here knows a feature.

* ``database``: engines, the unit of work and the base of all tables.
* ``events``: domain events, the transactional outbox, the inbox and consumers.
* ``saga``: work of several steps with retries and compensation.
* ``idempotency``: the ``Idempotency-Key`` header.
* ``api``: base classes of API shapes, cursor pagination, periods of time, services as dependencies of endpoints.
* ``problems``: error responses, and the codes of problems and of failures.
* ``feature`` and ``services``: what a feature declares to the product, and how it finds the services below it.
* ``context``, ``clock``, ``ids``: the current request, the time and new identifiers.
"""
