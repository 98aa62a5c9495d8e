"""Find quota counters that differ from the sums of the rows."""

from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple

from sqlalchemy import BigInteger, Select, Subquery, cast, column, func, select, table, update

from metastore.kit.database.unit_of_work import Database, Transaction
from metastore.processes.fsck.check import Finding, Severity

_PAGE = 500
_USERS = table("users", column("id"), column("storage_used"), column("storage_reserved"))
_NODES = table("nodes", column("owner_id"), column("kind"), column("status"), column("size"))
_UPLOADS = table("uploads", column("owner_id"), column("state"), column("size"))


class Counters(NamedTuple):
    """A user's actual and expected counters, in bytes."""

    user_id: str
    used: int
    reserved: int
    expected_used: int
    expected_reserved: int

    @property
    def are_correct(self) -> bool:
        """Whether both counters have the expected values."""
        return (self.used, self.reserved) == (self.expected_used, self.expected_reserved)


class QuotaCheck:
    """Used bytes that differ from the files' sizes, and reserved bytes that differ from those of open uploads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def suspects(self) -> AsyncIterator[str]:
        """Yield the ids of users with wrong counters."""
        after = ""
        while True:
            page_of_users = select(_USERS.c.id).where(_USERS.c.id > after).order_by(_USERS.c.id).limit(_PAGE)
            async with self._database.reading() as tx:
                ids = list(await tx.session.scalars(page_of_users))
                counters = await _count(tx, ids)
            if not ids:
                return
            after = ids[-1]
            for found in counters:
                if not found.are_correct:
                    yield found.user_id

    async def confirm(self, suspect: str) -> Finding | None:
        """Implement ``Check``."""
        async with self._database.reading() as tx:
            counters = await _count(tx, [suspect])
        if not counters or counters[0].are_correct:
            return None
        [wrong] = counters
        found = (
            f"{wrong.used} bytes are counted as used and {wrong.reserved} as reserved; "
            f"the rows add up to {wrong.expected_used} and {wrong.expected_reserved}"
        )
        return Finding("wrong-quota", Severity.ERROR, suspect, found, "sets both counters to the sums of the rows")

    async def repair(self, suspect: str) -> str:
        """Implement ``Check``."""
        async with self._database.transaction() as tx:
            if tx.dialect != "sqlite":
                # Every transaction that changes the rows also updates the counters, so this lock makes it wait.
                await tx.session.execute(select(_USERS.c.id).where(_USERS.c.id == suspect).with_for_update())
            counters = await _count(tx, [suspect])
            if not counters:
                return "nothing: the user is gone"
            [found] = counters
            await tx.session.execute(
                update(_USERS)
                .where(_USERS.c.id == suspect)
                .values(storage_used=found.expected_used, storage_reserved=found.expected_reserved)
            )
        return f"set to {found.expected_used} used and {found.expected_reserved} reserved"


async def _count(tx: Transaction, ids: Sequence[str]) -> list[Counters]:
    """Read rows and counters in one statement, so that they are consistent."""
    files = _sums(
        select(_NODES.c.owner_id, func.sum(_NODES.c.size).label("total")).where(
            _NODES.c.owner_id.in_(ids), _NODES.c.kind == "file", _NODES.c.status != "UPLOADING"
        )
    )
    uploads = _sums(
        select(_UPLOADS.c.owner_id, func.sum(_UPLOADS.c.size).label("total")).where(
            _UPLOADS.c.owner_id.in_(ids), _UPLOADS.c.state != "COMPLETED"
        )
    )
    statement = (
        select(
            _USERS.c.id,
            _USERS.c.storage_used,
            _USERS.c.storage_reserved,
            cast(func.coalesce(files.c.total, 0), BigInteger),
            cast(func.coalesce(uploads.c.total, 0), BigInteger),
        )
        .select_from(
            _USERS.outerjoin(files, files.c.owner_id == _USERS.c.id).outerjoin(
                uploads, uploads.c.owner_id == _USERS.c.id
            )
        )
        .where(_USERS.c.id.in_(ids))
        .order_by(_USERS.c.id)
    )
    return [Counters._make(row) for row in await tx.session.execute(statement)]


def _sums(statement: Select[str, int]) -> Subquery:
    return statement.group_by(statement.selected_columns.owner_id).subquery()
