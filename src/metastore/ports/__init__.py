"""Ports: the interfaces of external systems, one Protocol per module.

* ``object_store``: objects under keys, uploaded in parts by clients.
* ``served_objects``: the additional interface of a store whose objects the product serves itself.
* ``event_bus``: durable delivery of events to consumers.
* ``realtime``: messages to users' open browser sockets.
* ``media_tools``: probes, thumbnails and waveforms of untrusted media.
* ``transcoder``: HLS renditions of films and audio.
* ``rate_limiter``: counting attempts per key.
* ``outage``: telling outages of these systems from other errors.
* ``resources``: everything that a feature can be built from.

The docstrings here are the contract and are not repeated in the adapters. ``tests/contracts`` has a behaviour suite per
port that every adapter must pass. Only ``bootstrap`` knows which adapters are in use.
"""
