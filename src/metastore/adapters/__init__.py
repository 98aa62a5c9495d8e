"""Implementations of the ports. Drivers are imported here and nowhere else.

* ``event_bus``: in-process queues, RabbitMQ and Kafka.
* ``object_store``: the embedded store, and S3-compatible servers.
* ``media_tools``: probing, thumbnails, sprites and waveforms.
* ``transcoder``: renditions.
* ``sandbox``: the child processes in which ``media_tools`` and ``transcoder`` decode untrusted files.
* ``realtime``: Socket.IO, with a fan-out over Redis.
* ``rate_limiter``: counters in memory and in Redis.
"""
