"""The event bus of a single-process deployment, with durable queues in the product's own database.

* ``bus``: ``InProcessBus``, which publishes to the queues and delivers from them.
* ``queue``: the ``queued_events`` table and its queries.
"""
