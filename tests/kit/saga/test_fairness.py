"""Workers share their time fairly between owners."""

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import update

from metastore.kit.clock import utc_now
from metastore.kit.database.unit_of_work import Database
from metastore.kit.problems.reason_codes import ReasonCode
from metastore.kit.saga import claims, sagas
from metastore.kit.saga.claims import ClaimFilter
from metastore.kit.saga.definition import Definition, Outcome, Report, Step
from metastore.kit.saga.models import Saga, SagaRow
from metastore.kit.saga.runner import SagaRunner
from tests.fixtures.waiting import eventually

KIND = "order"
SHORT = ClaimFilter((KIND,), ((KIND, "charge"),))
LONG = ClaimFilter((KIND,), ((KIND, "charge"),), only_steps=True)
LEASE = timedelta(minutes=1)


async def start(
    database: Database, owner: str, numbers: Iterable[int], *, due_at: datetime, step: str = "reserve"
) -> None:
    """Start sagas of an owner, each due a second after the one before."""
    async with database.transaction() as tx:
        for number in numbers:
            due = due_at + timedelta(seconds=number)
            subject = f"{owner}{number}"
            sagas.start(tx, KIND, subject, done="begin", step=step, due_at=due, data={}, owner=owner)


async def claim(database: Database, now: datetime, limit: int = 1, wanted: ClaimFilter = SHORT) -> list[str]:
    """Claim up to ``limit`` sagas and return their subjects."""
    async with database.transaction() as tx:
        claimed = await claims.claim(tx, wanted, now=now, lease=LEASE, worker="w", limit=limit)
    return sorted(one.subject for one in claimed)


async def end(database: Database, *subjects: str) -> None:
    async with database.transaction() as tx:
        for subject in subjects:
            assert await sagas.end(tx, KIND, subject, error="", cancelled=True)


@pytest.mark.parametrize("wanted", [SHORT, LONG])
async def test_a_later_owner_is_served_after_the_running_step(database: Database, wanted: ClaimFilter) -> None:
    now = utc_now()
    step = "charge" if wanted.only_steps else "reserve"
    await start(database, "a", range(10), due_at=now - timedelta(hours=2), step=step)
    served = await claim(database, now, wanted=wanted)
    await start(database, "b", range(2), due_at=now - timedelta(hours=1), step=step)
    await start(database, "c", range(1), due_at=now - timedelta(minutes=1), step=step)
    for number in range(1, 7):
        await end(database, served[-1])
        served += await claim(database, now + timedelta(seconds=number), wanted=wanted)
    in_order, newest_first = ["a0", "b0", "c0", "a1", "b1", "a2", "a3"], ["a9", "b1", "c0", "a8", "b0", "a7", "a6"]
    assert served == (in_order if wanted.only_steps else newest_first)


async def test_a_batch_is_shared_between_owners(database: Database) -> None:
    now = utc_now()
    await start(database, "a", range(5), due_at=now - timedelta(hours=2))
    await start(database, "b", range(5), due_at=now - timedelta(hours=1))
    await start(database, "c", range(1), due_at=now - timedelta(minutes=1))
    assert ["a4", "b4", "c0"] == await claim(database, now, 3)
    assert ["a3", "b3"] == await claim(database, now, 2)


async def test_the_owner_with_the_fewest_claimed_sagas_is_next(database: Database) -> None:
    """However long ago the others were served."""
    now = utc_now()
    await start(database, "a", range(5), due_at=now - timedelta(hours=2))
    assert ["a3", "a4"] == await claim(database, now - timedelta(seconds=30), 2)
    await start(database, "b", range(5), due_at=now - timedelta(hours=1))
    assert ["b3", "b4"] == await claim(database, now, 2)
    await end(database, "b4")
    assert ["b2"] == await claim(database, now)


async def test_what_an_owner_has_just_uploaded_comes_first(database: Database) -> None:
    now = utc_now()
    await start(database, "a", reversed(range(5)), due_at=now - timedelta(hours=2))
    assert ["a2", "a3", "a4"] == await claim(database, now, 3)
    await start(database, "a", [9], due_at=now - timedelta(hours=1))
    assert ["a9"] == await claim(database, now)
    assert ["a0", "a1"] == await claim(database, now, 3)


async def test_sagas_that_became_due_together_run_in_the_order_of_their_start(database: Database) -> None:
    now = utc_now()
    for number in range(5):
        await start(database, "a", [number], due_at=now - timedelta(hours=2, seconds=number))
    assert ["a0", "a1", "a2"] == await claim(database, now, 3)
    assert ["a3", "a4"] == await claim(database, now, 3)


async def test_long_steps_of_a_single_owner_run_in_the_order_in_which_they_became_due(database: Database) -> None:
    now = utc_now()
    await start(database, "a", reversed(range(5)), due_at=now - timedelta(hours=2), step="charge")
    assert ["a0", "a1", "a2"] == await claim(database, now, 3, LONG)
    assert ["a3", "a4"] == await claim(database, now, 3, LONG)


async def test_each_lane_is_fair_by_itself(database: Database) -> None:
    """Many short sagas of an owner do not delay their one long saga."""
    now = utc_now()
    await start(database, "a", range(1), due_at=now - timedelta(hours=3), step="charge")
    await start(database, "b", range(2), due_at=now - timedelta(hours=2), step="charge")
    await start(database, "a", range(1, 4), due_at=now - timedelta(hours=3))
    assert ["b0"] == await _after(database, ["a0"], now)


async def _after(database: Database, first: list[str], now: datetime) -> list[str]:
    assert first == await claim(database, now, wanted=LONG)
    await end(database, *first)
    for number in (3, 2, 1):
        assert [f"a{number}"] == await claim(database, now - timedelta(seconds=number))
        await end(database, f"a{number}")
    return await claim(database, now + timedelta(minutes=1), wanted=LONG)


async def test_expired_claims_do_not_count_against_their_owner(database: Database) -> None:
    now = utc_now()
    await start(database, "a", range(2), due_at=now - timedelta(hours=2))
    await start(database, "b", range(2), due_at=now - timedelta(hours=1))
    assert ["a1", "b0"] == await claim(database, now - timedelta(hours=1), 2)
    async with database.transaction() as tx:
        still_alive = update(SagaRow).where(SagaRow.subject == "b0").values(locked_until=now + LEASE)
        await tx.session.execute(still_alive)
    assert ["a0", "a1"] == await claim(database, now, 2)


async def test_concurrent_workers_never_claim_the_same_saga(database: Database) -> None:
    now = utc_now()
    for owner in "abcd":
        await start(database, owner, range(10), due_at=now - timedelta(hours=1))
    claimed: list[str] = []
    while len(claimed) < 40:
        for found in await asyncio.gather(*(claim(database, now, 2) for _ in range(4))):
            claimed += found
    assert 40 == len(set(claimed)) == len(claimed)


async def test_a_new_saga_does_not_overtake_those_waiting_for_the_long_lane(database: Database) -> None:
    """It waits for its turn in the long lane, while short steps of others run."""
    order: list[str] = []
    go_on = asyncio.Event()

    async def at_once(_saga: Saga, _report: Report) -> Outcome:
        return None

    async def charge(saga: Saga, _report: Report) -> Outcome:
        order.append(saga.subject)
        await go_on.wait()
        return None

    async def always(_saga: Saga) -> bool:
        return True

    steps = [
        Step("reserve", at_once, ReasonCode.PROCESSING_FAILED),
        Step("charge", charge, ReasonCode.PROCESSING_FAILED, time_limit=None, may_take_long=always),
    ]
    runner = SagaRunner(database, [Definition(KIND, steps)], poll_seconds=0.05)
    earlier = utc_now() - timedelta(hours=1)
    await start(database, "a", range(4), due_at=earlier, step="charge")
    running = asyncio.create_task(runner.run())
    try:
        await eventually(lambda: order)
        await start(database, "b", range(2), due_at=utc_now() - timedelta(minutes=1))

        async def both_wait() -> bool:
            async with database.reading() as tx:
                found = await sagas.sagas_of(tx, KIND, ["b0", "b1"])
            return {"charge"} == {one.step for one in found.values()}

        await eventually(both_wait)
        go_on.set()
        await eventually(lambda: len(order) == 6)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert ["a", "b", "a", "b", "a", "a"] == [subject[0] for subject in order]
