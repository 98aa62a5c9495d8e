"""Sagas: work of several steps that always reaches an end state, even when processes die.

* ``sagas``: for features: start, advance, finish, cancel and read sagas. Its docstring describes the protocol and its
  guarantees.
* ``definition``: the steps of a kind of saga, their actions and compensations, and the retry policy.
* ``runner``: executes due sagas. Every worker process has one.
* ``wake_ups``: when a runner looks for due sagas.
* ``lanes``: how many sagas a runner claims, and long steps apart from the others.
* ``claims``: the SQL statements of runners, including the fair order between owners.
* ``lease``: renewing a claim while a step runs.
* ``progress``: progress reports and intermediate transactions of a running step.
* ``models``: the tables, the states and the snapshot ``Saga``.
* ``metrics``: Prometheus metrics.
"""
