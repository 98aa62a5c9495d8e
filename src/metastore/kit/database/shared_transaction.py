"""One SQLite transaction in which several units of work write, one after the other.

The first unit begins the transaction, and each later one a savepoint in it. So a unit that fails is undone alone, and a
unit that stays alone costs nothing more than ``BEGIN`` and ``COMMIT``. ``BEGIN`` or ``SAVEPOINT`` is executed with the
unit's first statement, which saves a switch to the connection's thread.

SQLite itself rolls back the whole transaction after some errors, such as a full disk. Then the units before are gone as
well, and nothing may be executed outside a transaction: each statement checks that there still is one.
"""

import sqlite3

_LOST = "disk I/O error: the shared transaction was rolled back"


class SharedTransaction:
    """The state of a connection whose units share transactions.

    Methods with a ``connection`` run in its thread, in the order in which they were queued. The others run in the event
    loop while no statement is queued.
    """

    def __init__(self) -> None:
        self.kept = 0
        """The number of units that have ended well since the last commit, and are not on disk yet."""
        self._begun = False
        self._has_savepoint = False
        self._interrupted = False

    def enter(self, connection: sqlite3.Connection) -> None:
        """Begin the current unit, if it has not begun yet.

        Raises:
            sqlite3.OperationalError: the transaction of the earlier statements no longer exists.
        """
        if self._interrupted:
            raise sqlite3.OperationalError("interrupted: an earlier statement of the unit was cancelled")
        if (self._begun or self.kept) and not connection.in_transaction:
            raise sqlite3.OperationalError(_LOST)
        if not self._begun:
            self._begin(connection)
            self._begun = True

    def _begin(self, connection: sqlite3.Connection) -> None:
        if not self.kept:
            connection.execute("BEGIN IMMEDIATE")
            self._has_savepoint = False
            return
        if self._has_savepoint:
            connection.execute("RELEASE unit")  # of the unit before; frees the pages that SQLite kept to undo it
        connection.execute("SAVEPOINT unit")
        self._has_savepoint = True

    def interrupt(self) -> None:
        """Refuse further statements of the current unit, because one was cancelled and may still be executed."""
        self._interrupted = True

    def keep(self, connection: sqlite3.Connection) -> None:
        """End the current unit and keep what it did for the next commit.

        Raises:
            sqlite3.OperationalError: the unit was interrupted, or its transaction no longer exists.
        """
        if self._begun or self._interrupted:
            self.enter(connection)
            self.kept += 1
            self._begun = False

    def undo(self, connection: sqlite3.Connection) -> bool:
        """Undo the current unit. Return whether what earlier units did is still there; if not, ``reset`` comes next."""
        if self._begun and connection.in_transaction:
            connection.execute("ROLLBACK TO unit" if self.kept else "ROLLBACK")
        self._begun = self._interrupted = False
        return connection.in_transaction or not self.kept

    def reset(self) -> None:
        """Start over: what was kept is being committed, or is lost."""
        self.kept = 0

    @staticmethod
    def commit(connection: sqlite3.Connection) -> None:
        """Commit what was kept, or nothing of it."""
        if not connection.in_transaction:
            raise sqlite3.OperationalError(_LOST)
        try:
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
