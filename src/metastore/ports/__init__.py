"""Ports: protocols for what is outside the process, one per module.

* ``object_store``: objects under keys, uploaded in parts by clients.
* ``presigner``: URLs under which clients read objects.
* ``served_objects``: the additional interface of a store whose objects the product serves itself.
* ``event_bus``: durable delivery of events to consumers.
* ``realtime``: messages to users' open browser sockets.
* ``media_tools``: probes, thumbnails and waveforms of untrusted media.
* ``transcoder``: HLS renditions of films and audio.
* ``rate_limiter``: counting attempts per key.
* ``outage``: distinguishing outages from request errors.
* ``resources``: the database and one adapter per port, from which features are built.

The docstrings here are the contract and are not repeated in the adapters. ``tests/contracts`` has a suite of contract
tests per port that every adapter must pass. Only ``bootstrap`` knows which adapters are in use.
"""
