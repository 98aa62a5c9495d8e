"""What the product needs from the outside world, one small Protocol a file.

* ``object_store``: bytes under keys, written in parts straight by clients.
* ``served_objects``: what a store adds whose bytes we serve ourselves.
* ``event_bus``: durable delivery of recorded facts to consumers.
* ``realtime``: messages to a user's open browser sockets.
* ``media_tools``: looking into films and pictures, which may have been made to do harm.
* ``rate_limiter``: counting attempts per key.

``outage`` tells the errors that say that one of these is away from all others.

The contract stands in the docstrings here and is not repeated on the adapters; ``tests/contracts`` holds one behaviour
suite a port which every adapter must pass. Only ``bootstrap`` knows which adapter is in use.
"""
