"""Adapters of the ``realtime`` port.

* ``socketio``: messages to browsers over Socket.IO.
* ``socket_server``: the library's server, with limits on clients.
* ``fan_out``: forwards them between processes through Redis.
"""
