"""Disk space that a SQLite database reserves, so that users can delete and sign out on a full disk.

Deleting writes as well: rows, events and the write-ahead log. On a full disk it can succeed only within space that the
database already has. So the database file and the log are grown in advance: a table is filled and dropped again. This
leaves free pages in the database for the next transactions, and a long write-ahead log, which SQLite overwrites from
the start after each checkpoint (every 1,000 pages). When normal growth has used the space up, it is reserved again, as
long as the disk has some.

This is best effort: it does not work on copy-on-write file systems, which never overwrite in place.
"""

from sqlalchemy import text

from metastore.kit.database.unit_of_work import Database
from metastore.kit.problems.problem import unless_disk_full

SPARE_BYTES = 5 * 2**20
"""More than the size at which SQLite checkpoints the log."""
_SPARE_PAGES = text("SELECT freelist_count * page_size FROM pragma_freelist_count, pragma_page_size")


class DiskReserve:
    """Reserves ``SPARE_BYTES`` in a SQLite database. Does nothing for other databases."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._log_is_long = False

    async def ensure(self) -> None:
        """Reserve space if less than half of it is left. Does nothing on a full disk."""
        if not self._database.single_writer:
            return
        # SQLite deletes the log when the last connection closes, so each process has to grow it once.
        if self._log_is_long and await self._spare_bytes() >= SPARE_BYTES // 2:
            return
        with unless_disk_full():
            await self._grow()

    async def _spare_bytes(self) -> int:
        async with self._database.reading() as tx:
            return int((await tx.session.execute(_SPARE_PAGES)).scalar_one())

    async def _grow(self) -> None:
        try:
            async with self._database.long_transaction() as tx:
                await tx.session.execute(text("CREATE TABLE IF NOT EXISTS spare_room (padding BLOB)"))
                fill = text("INSERT INTO spare_room VALUES (zeroblob(:size))")
                await tx.session.execute(fill, {"size": SPARE_BYTES})
            self._log_is_long = True
        finally:
            # A separate transaction: pages freed by the transaction that filled them would never be written.
            async with self._database.long_transaction() as tx:
                await tx.session.execute(text("DROP TABLE IF EXISTS spare_room"))
