"""The ``Idempotency-Key`` header: a POST that is sent again takes effect once.

* ``route``: ``IdempotentRoute``, which claims the key before an endpoint runs and stores or replays its response.
  Its docstring describes the whole protocol.
* ``claims``: the table of keys and its SQL statements.
* ``checkpoints``: for services. ``IdempotencyKeys`` ties each transaction of a request to its claim. A request can save
  a checkpoint to continue from after a crash, and declare which transaction undoes its effect.
* ``fingerprint``: a digest of a request, to detect that a key is reused for a different one.

Only ``route`` and ``fingerprint`` know HTTP.
"""
