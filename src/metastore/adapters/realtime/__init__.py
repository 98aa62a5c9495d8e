"""Adapters of the ``realtime`` port.

* ``socketio``: messages to browsers over Socket.IO.
* ``fan_out``: forwards them between processes through Redis.
"""
