"""Owners are served by turns: nobody waits for all that somebody else has brought."""

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import update

from metastore.kit import saga, saga_claims
from metastore.kit.clock import utc_now
from metastore.kit.database import Database
from metastore.kit.reason_codes import ReasonCode
from metastore.kit.saga_claims import ClaimFilter
from metastore.kit.saga_models import Saga, SagaRow
from metastore.kit.saga_runner import SagaRunner
from metastore.kit.saga_steps import Definition, Outcome, Report, Step
from tests.fixtures.waiting import eventually

KIND = "tea"
SHORT = ClaimFilter([KIND], [(KIND, "boil")])
LONG = ClaimFilter([KIND], [(KIND, "boil")], only_steps=True)
LEASE = timedelta(minutes=1)


async def bring(
    database: Database, owner: str, numbers: Iterable[int], *, due_at: datetime, step: str = "fill"
) -> None:
    """Sagas of that owner, named after him, each due a second after the one before."""
    async with database.transaction() as tx:
        for number in numbers:
            due = due_at + timedelta(seconds=number)
            subject = f"{owner}{number}"
            saga.start(tx, KIND, subject, done="begin", step=step, due_at=due, data={}, owner=owner)


async def take(database: Database, now: datetime, limit: int = 1, wanted: ClaimFilter = SHORT) -> list[str]:
    """Claim as many as a free runner would; whose they are."""
    async with database.transaction() as tx:
        claimed = await saga_claims.claim(tx, wanted, now=now, lease=LEASE, worker="w", limit=limit)
    return sorted(one.subject for one in claimed)


async def end(database: Database, *subjects: str) -> None:
    async with database.transaction() as tx:
        for subject in subjects:
            assert await saga.end(tx, KIND, subject, error="", cancelled=True)


@pytest.mark.parametrize("wanted", [SHORT, LONG])
async def test_a_later_owner_is_served_after_the_running_step(database: Database, wanted: ClaimFilter) -> None:
    now = utc_now()
    step = "boil" if wanted.only_steps else "fill"
    await bring(database, "a", range(10), due_at=now - timedelta(hours=2), step=step)
    served = await take(database, now, wanted=wanted)
    await bring(database, "b", range(2), due_at=now - timedelta(hours=1), step=step)
    await bring(database, "c", range(1), due_at=now - timedelta(minutes=1), step=step)
    for number in range(1, 7):
        await end(database, served[-1])
        served += await take(database, now + timedelta(seconds=number), wanted=wanted)
    assert ["a0", "b0", "c0", "a1", "b1", "a2", "a3"] == served


async def test_several_are_shared_out_at_once(database: Database) -> None:
    now = utc_now()
    await bring(database, "a", range(5), due_at=now - timedelta(hours=2))
    await bring(database, "b", range(5), due_at=now - timedelta(hours=1))
    await bring(database, "c", range(1), due_at=now - timedelta(minutes=1))
    assert ["a0", "b0", "c0"] == await take(database, now, 3)
    assert ["a1", "b1"] == await take(database, now, 2)


async def test_who_has_the_fewest_in_hand_is_next(database: Database) -> None:
    """However long ago the others were served: theirs take long."""
    now = utc_now()
    await bring(database, "a", range(5), due_at=now - timedelta(hours=2))
    assert ["a0", "a1"] == await take(database, now - timedelta(seconds=30), 2)
    await bring(database, "b", range(5), due_at=now - timedelta(hours=1))
    assert ["b0", "b1"] == await take(database, now, 2)
    await end(database, "b0")
    assert ["b2"] == await take(database, now)


async def test_an_owner_alone_has_everything_in_order(database: Database) -> None:
    now = utc_now()
    await bring(database, "a", reversed(range(5)), due_at=now - timedelta(hours=2))
    assert ["a0", "a1", "a2"] == await take(database, now, 3)
    assert ["a3", "a4"] == await take(database, now, 3)


async def test_each_lane_has_turns_of_its_own(database: Database) -> None:
    """Small pictures, of which somebody has many, do not put back his one film."""
    now = utc_now()
    await bring(database, "a", range(1), due_at=now - timedelta(hours=3), step="boil")
    await bring(database, "b", range(2), due_at=now - timedelta(hours=2), step="boil")
    await bring(database, "a", range(1, 4), due_at=now - timedelta(hours=3))
    assert ["b0"] == await _after(database, ["a0"], now)


async def _after(database: Database, first: list[str], now: datetime) -> list[str]:
    assert first == await take(database, now, wanted=LONG)
    await end(database, *first)
    for number in range(1, 4):
        assert [f"a{number}"] == await take(database, now + timedelta(seconds=number))
        await end(database, f"a{number}")
    return await take(database, now + timedelta(minutes=1), wanted=LONG)


async def test_what_a_dead_worker_held_is_nobody_s_load(database: Database) -> None:
    now = utc_now()
    await bring(database, "a", range(2), due_at=now - timedelta(hours=2))
    await bring(database, "b", range(2), due_at=now - timedelta(hours=1))
    assert ["a0", "b0"] == await take(database, now - timedelta(hours=1), 2)
    async with database.transaction() as tx:
        still_alive = update(SagaRow).where(SagaRow.subject == "b0").values(locked_until=now + LEASE)
        await tx.session.execute(still_alive)
    assert ["a0", "a1"] == await take(database, now, 2)


async def test_workers_that_claim_at_once_never_claim_the_same(database: Database) -> None:
    now = utc_now()
    for owner in "abcd":
        await bring(database, owner, range(10), due_at=now - timedelta(hours=1))
    claimed: list[str] = []
    while len(claimed) < 40:
        for found in await asyncio.gather(*(take(database, now, 2) for _ in range(4))):
            claimed += found
    assert 40 == len(set(claimed)) == len(claimed)


async def test_a_film_that_just_arrived_does_not_pass_those_that_wait(database: Database) -> None:
    """Nor is it held up by them: it waits for its turn at the long step beside the short ones of others."""
    order: list[str] = []
    go_on = asyncio.Event()

    async def at_once(_saga: Saga, _report: Report) -> Outcome:
        return None

    async def boil(now: Saga, _report: Report) -> Outcome:
        order.append(now.subject)
        await go_on.wait()
        return None

    async def always(_saga: Saga) -> bool:
        return True

    steps = [
        Step("fill", at_once, ReasonCode.PROCESSING_FAILED),
        Step("boil", boil, ReasonCode.PROCESSING_FAILED, time_limit=None, may_take_long=always),
    ]
    runner = SagaRunner(database, [Definition(KIND, steps)], poll_seconds=0.05)
    earlier = utc_now() - timedelta(hours=1)
    await bring(database, "a", range(4), due_at=earlier, step="boil")
    running = asyncio.create_task(runner.run())
    try:
        await eventually(lambda: order)
        await bring(database, "b", range(2), due_at=utc_now() - timedelta(minutes=1))

        async def both_wait() -> bool:
            async with database.reading() as tx:
                found = await saga.sagas_of(tx, KIND, ["b0", "b1"])
            return {"boil"} == {one.step for one in found.values()}

        await eventually(both_wait)
        go_on.set()
        await eventually(lambda: len(order) == 6)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert ["a", "b", "a", "b", "a", "a"] == [subject[0] for subject in order]
