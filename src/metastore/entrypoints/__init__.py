"""The processes of the product: the HTTP API, the object data plane, sockets, workers and the command line.

They contain no business rules.

* ``serve``: everything in one process. ``api``: one of several API processes. ``workers``: relays and workers.
* ``http``: the HTTP API and the web app (``webapp``; ``shared_page`` for share links), behind the ``middleware``.
  ``operations``: monitoring endpoints.
* ``route_callers``: no route without a declaration of who may call it.
* ``objects``: the data plane of the embedded store. ``data_plane``: the process that it runs in.
* ``realtime``: the Socket.IO endpoint.
* ``server``: the HTTP server that all of these run in.
* ``cli``: the command line.
* ``openapi``, ``asyncapi``: documents generated from the code; ``blueprint`` builds the product for them.
* ``lifecycle``: jobs, signals and exit codes. ``logs``: the configuration of logging.
* ``startup``: quick imports.
"""
