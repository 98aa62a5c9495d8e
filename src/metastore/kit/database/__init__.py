"""The database: engines, the unit of work, and the base of all tables.

* ``unit_of_work``: ``Database`` opens transactions on SQLite and PostgreSQL; ``Transaction`` records events.
* ``group_commit``: units of work on SQLite that share a commit; ``shared_transaction``: what their connection executes.
* ``command``: statements that change rows, built once. ``query``: SELECT statements that are built once.
* ``readers``: the shortest way of a query to the database.
* ``engine``: how SQLAlchemy connects to SQLite and PostgreSQL.
* ``inserts``: INSERT statements for the dialect of the database.
* ``tables``: the declarative base and column types.
* ``sqlite_connection``: SQLite connections with one thread switch per statement.
* ``notifications``: waking up other processes with PostgreSQL's LISTEN and NOTIFY.
* ``disk_reserve``: disk space that SQLite reserves, so that deleting works on a full disk.

Nothing here knows of events, sagas or idempotency keys. They take part in transactions by ``Transaction.record``,
``Transaction.schedule`` and ``Database.before_commit``.
"""
