"""Storage quotas: every byte is reserved before it comes in, becomes use when its file exists, and is given back.

Each step is one conditional ``UPDATE`` of the user's row, so that no mix of parallel uploads can exceed the quota by a
byte and nothing is counted twice. The steps take part in the caller's transaction: they hold or fall with the change
that they count.
"""

from sqlalchemy import select, update

from metastore.features.auth.models import User
from metastore.kit.database import Transaction
from metastore.kit.problem import Problem, not_found
from metastore.kit.problem_codes import ProblemCode

_LARGEST = 2**63 - 1


async def reserve(tx: Transaction, user_id: str, size: int) -> None:
    """Set ``size`` bytes aside for an upload.

    Raises:
        Problem: 413 ``quota-exceeded`` with ``quota``, ``used``, ``reserved`` and ``requested`` when there is no room.
    """
    _check(size)
    room = User.storage_quota - User.storage_used - User.storage_reserved
    # What exceeds the column's range cannot be compared in the database, and fits no quota.
    if size <= _LARGEST:
        statement = (
            update(User)
            .where(User.id == user_id, room >= size)
            .values(storage_reserved=User.storage_reserved + size)
            .returning(User.id)
            .execution_options(synchronize_session=False)
        )
        if (await tx.session.execute(statement)).first() is not None:
            return
    raise await _exceeded(tx, user_id, size)


async def release(tx: Transaction, user_id: str, size: int) -> None:
    """Give a reservation of ``size`` bytes back unused."""
    await _move(tx, user_id, reserved=-_check(size))


async def use(tx: Transaction, user_id: str, size: int) -> None:
    """Turn a reservation of ``size`` bytes into use."""
    await _move(tx, user_id, reserved=-_check(size), used=size)


async def free(tx: Transaction, user_id: str, size: int) -> None:
    """Give ``size`` used bytes back."""
    await _move(tx, user_id, used=-_check(size))


async def _move(tx: Transaction, user_id: str, *, reserved: int = 0, used: int = 0) -> None:
    # Taking back more than was counted would be a fault of ours: the table's CHECKs refuse it.
    await tx.session.execute(
        update(User)
        .where(User.id == user_id)
        .values(storage_reserved=User.storage_reserved + reserved, storage_used=User.storage_used + used)
        .execution_options(synchronize_session=False)
    )


async def _exceeded(tx: Transaction, user_id: str, size: int) -> Problem:
    found = await tx.session.execute(
        select(User.storage_quota, User.storage_used, User.storage_reserved).where(User.id == user_id)
    )
    row = found.first()
    if row is None:
        return not_found("user")
    quota, used, reserved = row
    detail = "There is not enough storage left."
    return Problem(413, ProblemCode.QUOTA_EXCEEDED, detail, quota=quota, used=used, reserved=reserved, requested=size)


def _check(size: int) -> int:
    if size < 0:
        raise ValueError("a size in bytes cannot be negative")
    return size
