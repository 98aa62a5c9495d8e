"""Run MetaStore as several processes.

* ``compose.yaml``, ``Dockerfile``: in containers. ``make_env`` creates their ``.env`` from ``scale-out.env.example``.
* ``local``: as plain processes.
* ``nginx``: the gateway's configuration, for both.
* ``embedded.env.example``: the settings of a single process.
"""
