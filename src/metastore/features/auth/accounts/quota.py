"""Storage quotas: bytes are reserved before an upload, used once the file is stored, and refunded when it is purged.

Each operation is one conditional ``UPDATE`` of the user's row, so that concurrent uploads cannot exceed the quota and
nothing is counted twice. Operations run in the caller's transaction and commit with the change they count. They lock
the user's row until it ends, which also is the lock on the owner's tree.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import bindparam, select, update

from metastore.features.auth.models import User
from metastore.kit.database.command import Command, Id, Nothing
from metastore.kit.database.query import Query
from metastore.kit.database.tables import table_of
from metastore.kit.database.unit_of_work import Transaction
from metastore.kit.problems.problem import Problem, not_found, unavailable
from metastore.kit.problems.problem_codes import ProblemCode

_MAX_BIGINT = 2**63 - 1
_USERS = table_of(User).c


class _Counters(NamedTuple):
    quota: int
    used: int
    reserved: int


_COUNTERS = select(_USERS.storage_quota, _USERS.storage_used, _USERS.storage_reserved).where(
    _USERS.id == bindparam("user")
)
_READ = Query(_Counters, _COUNTERS)
# The row has to be locked before it is read; SQLite has a single writer.
_LOCK = Query(_Counters, _COUNTERS.with_for_update(key_share=True))
_IF_FREE = (
    update(table_of(User))
    .where(
        _USERS.id == bindparam("user"),
        _USERS.storage_quota - _USERS.storage_used - _USERS.storage_reserved >= bindparam("bytes"),
    )
    .returning(_USERS.id)
)
_CHARGE = Command(Id, _IF_FREE.values(storage_used=_USERS.storage_used + bindparam("bytes")))
_RESERVE = Command(Id, _IF_FREE.values(storage_reserved=_USERS.storage_reserved + bindparam("bytes")))
# Subtracting more than was counted would be a bug; the table's CHECK constraints reject it.
_MOVE = Command(
    Nothing,
    update(table_of(User))
    .where(_USERS.id == bindparam("user"))
    .values(
        storage_reserved=_USERS.storage_reserved + bindparam("reserved"),
        storage_used=_USERS.storage_used + bindparam("used"),
    ),
)


async def reserve(tx: Transaction, user_id: str, size: int) -> None:
    """Reserve ``size`` bytes for an upload.

    Raises:
        Problem: 413 ``quota-exceeded`` with ``quota``, ``used``, ``reserved`` and ``requested``, all in bytes.
    """
    _check(size)
    # A size beyond the column's range cannot be passed to the database, and exceeds any quota.
    if size <= _MAX_BIGINT and await tx.execute(_RESERVE, user=user_id, bytes=size):
        return
    raise await _exceeded(tx, user_id, size)


async def require_room(tx: Transaction, user_id: str, size: int) -> None:
    """Return if ``size`` bytes could be reserved at the moment. Only ``reserve`` decides.

    Raises:
        Problem: as for ``reserve``.
    """
    row = await tx.fetch_first(_READ, user=user_id)
    if row is not None and row.used + row.reserved + size > row.quota:
        raise _too_much(*row, size)


async def charge(tx: Transaction, user_id: str, sizes: Sequence[int]) -> list[Problem | None]:
    """Use bytes without a reservation, for files of these ``sizes`` in order, and lock the user's row.

    Returns, for each file, ``None``, or 413 ``quota-exceeded`` if it does not fit beside those before it.
    """
    if await _charge(tx, user_id, sum(map(_check, sizes))):
        return [None] * len(sizes)
    if len(sizes) == 1:
        return [await _exceeded(tx, user_id, sizes[0])]
    row = await tx.fetch_first(_LOCK, user=user_id)
    if row is None:
        raise not_found("user")
    quota, used, reserved = row
    outcomes: list[Problem | None] = []
    charged = 0
    for size in sizes:
        fits = used + reserved + charged + size <= quota
        outcomes.append(None if fits else _too_much(quota, used + charged, reserved, size))
        charged += size if fits else 0
    if not await _charge(tx, user_id, charged):
        raise unavailable("The storage changed meanwhile.")
    return outcomes


async def release(tx: Transaction, user_id: str, size: int) -> None:
    """Release an unused reservation of ``size`` bytes."""
    await _move(tx, user_id, reserved=-_check(size))


async def use(tx: Transaction, user_id: str, size: int) -> None:
    """Turn a reservation of ``size`` bytes into used storage."""
    await _move(tx, user_id, reserved=-_check(size), used=size)


async def refund(tx: Transaction, user_id: str, size: int) -> None:
    """Refund ``size`` used bytes."""
    await _move(tx, user_id, used=-_check(size))


async def _move(tx: Transaction, user_id: str, *, reserved: int = 0, used: int = 0) -> None:
    await tx.execute_soon(_MOVE, [{"user": user_id, "reserved": reserved, "used": used}])


async def _charge(tx: Transaction, user_id: str, size: int) -> bool:
    return bool(await tx.execute(_CHARGE, user=user_id, bytes=size))


async def _exceeded(tx: Transaction, user_id: str, size: int) -> Problem:
    row = await tx.fetch_first(_READ, user=user_id)
    if row is None:
        return not_found("user")
    return _too_much(*row, size)


def _too_much(quota: int, used: int, reserved: int, size: int) -> Problem:
    detail = "There is not enough storage left."
    return Problem(413, ProblemCode.QUOTA_EXCEEDED, detail, quota=quota, used=used, reserved=reserved, requested=size)


def _check(size: int) -> int:
    if size < 0:
        raise ValueError("a size in bytes cannot be negative")
    return size
