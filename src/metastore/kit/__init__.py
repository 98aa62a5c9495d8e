"""Small mechanisms that every feature stands on, none of which knows a feature.

* ``database``: engines and the unit of work.
* ``facts``, ``outbox`` and ``inbox``: facts recorded with their change, and effects that happen once.
* ``consumer``: how a feature declares what it does when a fact reaches it.
* ``problem``: errors as the API shows them.
* ``paging``, ``idempotency``, ``http``: what HTTP endpoints share.
* ``context``, ``clock``, ``ids``: who asks, when, and new identifiers.
"""
