"""What the product needs from outside, one small protocol per module.

* ``object_store``: bytes under keys, uploaded in parts directly by clients.
* ``served_objects``: what a store adds if the product serves its bytes.
* ``event_bus``: durable delivery of recorded events to consumers.
* ``realtime``: messages to a user's open browser sockets.
* ``media_tools``: probing media files and making thumbnails; the input may be malicious.
* ``transcoder``: renditions of films and audio for HTTP Live Streaming.
* ``rate_limiter``: counting attempts per key.
* ``outage``: which errors mean that one of these is unavailable.
* ``resources``: everything that a feature can be built from.

The docstrings here are the contracts; adapters do not repeat them. ``tests/contracts`` has one behaviour suite per
port, which every adapter must pass. Only ``bootstrap`` knows which adapter is in use.
"""
