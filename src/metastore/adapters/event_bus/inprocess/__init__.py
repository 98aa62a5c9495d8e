"""The event bus of a deployment without a broker, on the product's own database.

* ``bus``: ``InProcessBus``, which publishes events and runs the consumers.
* ``consumer_task``: delivers events to one consumer, in batches.
* ``sources``: the published and the queued events of a consumer, and how they are settled.
* ``recent_events``: the latest published events in memory.
* ``queue``: the ``queued_events`` table of failed events and dead letters.
"""
