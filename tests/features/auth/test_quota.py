"""Storage quotas: reserve, use, release, refund."""

import asyncio

import pytest
from sqlalchemy.exc import IntegrityError

from metastore.features.auth.accounts import quota
from metastore.kit.database.unit_of_work import Database
from metastore.kit.problems.problem import Problem
from tests.fixtures.accounts import Storage, add_user, storage_of


async def test_a_reservation_becomes_used_and_is_refunded(database: Database) -> None:
    """Each operation moves exactly its bytes."""
    user = await add_user(database, quota=100)
    async with database.transaction() as tx:
        await quota.reserve(tx, user, 60)
    assert await storage_of(database, user) == Storage(used=0, reserved=60)
    async with database.transaction() as tx:
        await quota.use(tx, user, 60)
    assert await storage_of(database, user) == Storage(used=60, reserved=0)
    async with database.transaction() as tx:
        await quota.reserve(tx, user, 40)
        await quota.release(tx, user, 40)
        await quota.refund(tx, user, 60)
    assert await storage_of(database, user) == Storage(used=0, reserved=0)


async def test_the_last_byte_fits_and_one_more_does_not(database: Database) -> None:
    """413 ``quota-exceeded`` states quota, use, reservations and the requested size."""
    user = await add_user(database, quota=100)
    async with database.transaction() as tx:
        await quota.reserve(tx, user, 30)
        await quota.use(tx, user, 30)
        await quota.reserve(tx, user, 70)
    with pytest.raises(Problem) as caught:
        async with database.transaction() as tx:
            await quota.reserve(tx, user, 1)
    assert (caught.value.status, caught.value.code) == (413, "quota-exceeded")
    assert caught.value.members == {"quota": 100, "used": 30, "reserved": 70, "requested": 1}


@pytest.mark.parametrize("size", [2**63 - 1, 2**63, 10**30])
async def test_sizes_beyond_the_column_are_rejected_like_any_other(database: Database, size: int) -> None:
    """No arithmetic overflows."""
    user = await add_user(database, quota=2**63 - 1)
    async with database.transaction() as tx:
        await quota.reserve(tx, user, 1)
    with pytest.raises(Problem, match="quota-exceeded"):
        async with database.transaction() as tx:
            await quota.reserve(tx, user, size)


async def test_an_empty_file_needs_no_quota(database: Database) -> None:
    """It can be stored even if the quota is used up."""
    user = await add_user(database, quota=0)
    async with database.transaction() as tx:
        await quota.reserve(tx, user, 0)


async def test_a_negative_size_is_a_programming_error(database: Database) -> None:
    """It could be used to raise the quota."""
    user = await add_user(database)
    for step in (quota.reserve, quota.release, quota.use, quota.refund):
        with pytest.raises(ValueError, match="negative"):
            async with database.transaction() as tx:
                await step(tx, user, -1)


async def test_parallel_reservations_never_exceed_the_quota(database: Database) -> None:
    """Of thirty concurrent reservations of a tenth of the quota, ten succeed."""
    user = await add_user(database, quota=100)

    async def reserve() -> None:
        async with database.transaction() as tx:
            await quota.reserve(tx, user, 10)

    outcomes = await asyncio.gather(*(reserve() for _ in range(30)), return_exceptions=True)
    caught = [outcome for outcome in outcomes if outcome is not None]
    assert len(caught) == 20
    assert all(isinstance(outcome, Problem) and outcome.code == "quota-exceeded" for outcome in caught)
    assert await storage_of(database, user) == Storage(used=0, reserved=100)


async def test_concurrent_reservations_and_releases_lose_no_update(database: Database) -> None:
    """The counters are exact at the end."""
    user = await add_user(database, quota=10_000)

    async def reserve_and_release(size: int) -> None:
        async with database.transaction() as tx:
            await quota.reserve(tx, user, size)
        async with database.transaction() as tx:
            await quota.use(tx, user, size)
        if size % 2:
            async with database.transaction() as tx:
                await quota.refund(tx, user, size)

    await asyncio.gather(*(reserve_and_release(size) for size in range(1, 21)))
    assert await storage_of(database, user) == Storage(used=sum(range(2, 21, 2)), reserved=0)


async def test_releasing_more_than_is_reserved_fails(database: Database) -> None:
    """A CHECK constraint rejects negative counters, so that a double release is noticed."""
    user = await add_user(database)
    with pytest.raises(IntegrityError):
        async with database.transaction() as tx:
            await quota.release(tx, user, 1)


async def test_a_reservation_is_rolled_back_with_its_transaction(database: Database) -> None:
    """Nothing remains reserved."""
    user = await add_user(database)

    async def reserve_and_fail() -> None:
        async with database.transaction() as tx:
            await quota.reserve(tx, user, 10)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await reserve_and_fail()
    assert await storage_of(database, user) == Storage(used=0, reserved=0)
