"""Small mechanisms that every feature stands on, none of which knows a feature.

* ``database``: engines and the unit of work.
* ``outbox`` and ``inbox``: facts recorded with their change, and effects that happen once.
* ``problem``: errors as the API shows them.
* ``paging``, ``idempotency``, ``http``: what HTTP endpoints share.
* ``context``, ``clock``, ``ids``: who asks, when, and new identifiers.
"""
