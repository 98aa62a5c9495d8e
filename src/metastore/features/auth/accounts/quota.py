"""Storage quotas: bytes are reserved before an upload, used once the file is stored, and refunded when it is purged.

Each operation is one conditional ``UPDATE`` of the user's row, so that concurrent uploads cannot exceed the quota and
nothing is counted twice. Operations run in the caller's transaction and commit with the change they count.
"""

from sqlalchemy import select, update

from metastore.features.auth.models import User
from metastore.kit.database.unit_of_work import Transaction
from metastore.kit.problems.problem import Problem, not_found
from metastore.kit.problems.problem_codes import ProblemCode

_MAX_BIGINT = 2**63 - 1


async def reserve(tx: Transaction, user_id: str, size: int) -> None:
    """Reserve ``size`` bytes for an upload.

    Raises:
        Problem: 413 ``quota-exceeded`` with ``quota``, ``used``, ``reserved`` and ``requested``, all in bytes.
    """
    _check(size)
    available = User.storage_quota - User.storage_used - User.storage_reserved
    # A size beyond the column's range cannot be passed to the database, and exceeds any quota.
    if size <= _MAX_BIGINT:
        statement = (
            update(User)
            .where(User.id == user_id, available >= size)
            .values(storage_reserved=User.storage_reserved + size)
            .returning(User.id)
            .execution_options(synchronize_session=False)
        )
        if (await tx.session.execute(statement)).first() is not None:
            return
    raise await _exceeded(tx, user_id, size)


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
    # Subtracting more than was counted would be a bug; the table's CHECK constraints reject it.
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
