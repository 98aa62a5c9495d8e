"""Room that a SQLite database keeps for itself, so that a full disk still lets people delete and sign out.

Deleting writes, too: rows, facts, the write-ahead log. On a full disk it can succeed only in room that the database
has already. So both its files are grown in good time: a table is filled and dropped again, which leaves its pages on
SQLite's free list, where the next transactions take theirs from, and leaves the log as long as it then was (SQLite
writes it from the start again once it is checkpointed, after 1,000 pages). Used up by ordinary growth, the room is made
anew as long as the disk has some.

It is a help and no promise: on file systems that never write in place, nothing can be kept back this way.
"""

from sqlalchemy import text

from metastore.kit.database import Database
from metastore.kit.problem import Problem

SPARE_BYTES = 5 * 2**20
"""More than the log has when SQLite checkpoints it."""
_SPARE_PAGES = text("SELECT freelist_count * page_size FROM pragma_freelist_count, pragma_page_size")


class SpareRoom:
    """Keeps ``SPARE_BYTES`` in a SQLite ``database``; does nothing for others, which have a server for that."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._log_is_long = False

    async def ensure(self) -> None:
        """Make room if there is less than half of it; without any left on the disk, things stay as they are."""
        if not self._database.single_writer:
            return
        # The log is deleted when the last process ends, hence made long by each anew.
        if self._log_is_long and await self._spare_bytes() >= SPARE_BYTES // 2:
            return
        try:
            await self._grow()
        except Problem as problem:
            if problem.status != 507:
                raise

    async def _spare_bytes(self) -> int:
        async with self._database.reading() as tx:
            return int((await tx.session.execute(_SPARE_PAGES)).scalar_one())

    async def _grow(self) -> None:
        try:
            async with self._database.transaction() as tx:
                await tx.session.execute(text("CREATE TABLE IF NOT EXISTS spare_room (filling BLOB)"))
                filling = text("INSERT INTO spare_room VALUES (zeroblob(:size))")
                await tx.session.execute(filling, {"size": SPARE_BYTES})
            self._log_is_long = True
        finally:
            # In a transaction of its own: pages freed by the one that filled them would never be written.
            async with self._database.transaction() as tx:
                await tx.session.execute(text("DROP TABLE IF EXISTS spare_room"))
