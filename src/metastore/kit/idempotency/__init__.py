"""The ``Idempotency-Key`` header: a POST that is sent again takes effect once.

* ``route``: ``IdempotentRoute``, which claims the key before an endpoint runs and stores or replays its response.
  Its docstring describes the whole protocol.
* ``claims``: the table of keys and its SQL statements.
* ``checkpoints``: for services. ``IdempotencyKeys`` ties each transaction of a request to its claim; a request saves a
  checkpoint to continue from after a crash, and declares the transaction that undoes its effect.
* ``fingerprint``: telling whether a repeated request is the same one.

Only ``route`` and ``fingerprint`` know HTTP.
"""
