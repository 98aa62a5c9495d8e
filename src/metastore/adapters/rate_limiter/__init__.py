"""Adapters of the ``rate_limiter`` port.

* ``memory``: counts in the memory of one process.
* ``redis``: counts shared by all processes.
"""
