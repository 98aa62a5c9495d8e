"""Mechanisms that every feature uses. Nothing here knows a feature.

* ``database``: engines, the unit of work and the base of all tables.
* ``events``: domain events, the transactional outbox, the inbox and consumers.
* ``saga``: work of several steps with retries and compensation.
* ``idempotency``: the ``Idempotency-Key`` header.
* ``api``: base classes of requests and responses, cursor pagination, periods of time, endpoints' dependencies.
* ``problems``: error responses, and the codes of problems and failures.
* ``feature`` and ``services``: what a feature declares to the product, and the registry of services.
* ``waiting``: pauses that grow with each failure, and work that is not left while it is being done.
* ``context``, ``clock``, ``ids``: the current request, the time and new identifiers.
"""
