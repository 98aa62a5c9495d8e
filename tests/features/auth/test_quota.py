"""Storage quotas: reserved, used, given back."""

import asyncio

import pytest
from sqlalchemy.exc import IntegrityError

from metastore.features.auth import quota
from metastore.kit.database import Database
from metastore.kit.problem import Problem
from tests.fixtures.accounts import Storage, add_user, storage_of


async def test_a_reservation_becomes_use_and_is_given_back(database: Database) -> None:
    """Each step moves exactly its bytes."""
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
        await quota.free(tx, user, 60)
    assert await storage_of(database, user) == Storage(used=0, reserved=0)


async def test_the_last_byte_fits_and_one_more_does_not(database: Database) -> None:
    """413 ``quota-exceeded`` says what there is and what was asked for."""
    user = await add_user(database, quota=100)
    async with database.transaction() as tx:
        await quota.reserve(tx, user, 30)
        await quota.use(tx, user, 30)
        await quota.reserve(tx, user, 70)
    with pytest.raises(Problem) as refused:
        async with database.transaction() as tx:
            await quota.reserve(tx, user, 1)
    assert (refused.value.status, refused.value.code) == (413, "quota-exceeded")
    assert refused.value.members == {"quota": 100, "used": 30, "reserved": 70, "requested": 1}


@pytest.mark.parametrize("size", [2**63 - 1, 2**63, 10**30])
async def test_sizes_beyond_all_bounds_are_refused_like_any_other(database: Database, size: int) -> None:
    """No arithmetic overflows."""
    user = await add_user(database, quota=2**63 - 1)
    async with database.transaction() as tx:
        await quota.reserve(tx, user, 1)
    with pytest.raises(Problem, match="quota-exceeded"):
        async with database.transaction() as tx:
            await quota.reserve(tx, user, size)


async def test_nothing_takes_no_room(database: Database) -> None:
    """An empty file can be stored even when the quota is used up."""
    user = await add_user(database, quota=0)
    async with database.transaction() as tx:
        await quota.reserve(tx, user, 0)


async def test_a_negative_size_is_a_mistake_of_the_program(database: Database) -> None:
    """It could be used to gain room."""
    user = await add_user(database)
    for step in (quota.reserve, quota.release, quota.use, quota.free):
        with pytest.raises(ValueError, match="negative"):
            async with database.transaction() as tx:
                await step(tx, user, -1)


async def test_parallel_reservations_never_exceed_the_quota(database: Database) -> None:
    """Of thirty that want ten bytes of a hundred, ten get them."""
    user = await add_user(database, quota=100)

    async def reserve() -> None:
        async with database.transaction() as tx:
            await quota.reserve(tx, user, 10)

    outcomes = await asyncio.gather(*(reserve() for _ in range(30)), return_exceptions=True)
    refused = [outcome for outcome in outcomes if outcome is not None]
    assert len(refused) == 20
    assert all(isinstance(outcome, Problem) and outcome.code == "quota-exceeded" for outcome in refused)
    assert await storage_of(database, user) == Storage(used=0, reserved=100)


async def test_reserving_and_giving_back_at_once_keeps_the_count_exact(database: Database) -> None:
    """No update is lost."""
    user = await add_user(database, quota=10_000)

    async def come_and_go(size: int) -> None:
        async with database.transaction() as tx:
            await quota.reserve(tx, user, size)
        async with database.transaction() as tx:
            await quota.use(tx, user, size)
        if size % 2:
            async with database.transaction() as tx:
                await quota.free(tx, user, size)

    await asyncio.gather(*(come_and_go(size) for size in range(1, 21)))
    assert await storage_of(database, user) == Storage(used=sum(range(2, 21, 2)), reserved=0)


async def test_giving_back_more_than_there_is_fails(database: Database) -> None:
    """The table refuses counts below zero, so that a double release cannot go unseen."""
    user = await add_user(database)
    with pytest.raises(IntegrityError):
        async with database.transaction() as tx:
            await quota.release(tx, user, 1)


async def test_a_reservation_falls_with_its_transaction(database: Database) -> None:
    """What rolls back was never reserved."""
    user = await add_user(database)

    async def reserve_and_fail() -> None:
        async with database.transaction() as tx:
            await quota.reserve(tx, user, 10)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await reserve_and_fail()
    assert await storage_of(database, user) == Storage(used=0, reserved=0)
