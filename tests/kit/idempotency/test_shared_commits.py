"""Idempotency keys of requests whose transactions share a commit."""

import asyncio
from contextlib import suppress

import pytest
from sqlalchemy import select, text

from metastore.kit.database.unit_of_work import Database
from metastore.kit.idempotency import claims
from metastore.kit.idempotency.checkpoints import IdempotencyKeys, working_under
from metastore.kit.idempotency.claims import Claim, Claimed, IdempotencyKey
from metastore.kit.problems.problem import Problem
from tests.kit.database.units import Refused, full_log

REQUESTS = 8


class Requests:
    """Requests with a key each, whose effects are numbers in a table."""

    def __init__(self, database: Database) -> None:
        self.database = IdempotencyKeys(database).database
        self.claimed: list[Claimed] = []

    async def claim_keys(self) -> None:
        """Claim the keys ``0`` to ``REQUESTS - 1``."""
        async with self.database.engine.begin() as connection:
            await connection.execute(text("CREATE TABLE test_effects (number INTEGER)"))
        self.claimed = list(await asyncio.gather(*(self._claim(str(number)) for number in range(REQUESTS))))

    async def _claim(self, key: str) -> Claimed:
        async with self.database.transaction() as tx:
            claimed = await claims.try_claim(tx, Claim("ada", key, "POST /orders", key), repeatable=False)
        assert isinstance(claimed, Claimed)
        return claimed

    async def take_effect(self, number: int) -> None:
        """Execute the effect of one request."""
        with working_under(self.claimed[number]):
            async with self.database.transaction() as tx:
                await tx.session.execute(text("INSERT INTO test_effects VALUES (:number)"), {"number": number})

    async def take_effect_at_once(self) -> list[BaseException | None]:
        """Execute all effects at once, in transactions that wait for the same one. Return the errors."""
        tasks: list[asyncio.Task[None]] = []
        with suppress(Refused):
            async with self.database.transaction():
                tasks += [asyncio.create_task(self.take_effect(number)) for number in range(REQUESTS)]
                await asyncio.sleep(0)
                raise Refused
        return await asyncio.gather(*tasks, return_exceptions=True)

    async def outcome(self) -> tuple[list[int], list[str]]:
        """Return the effects, and the keys of requests that took effect."""
        async with self.database.reading() as tx:
            effects = await tx.session.scalars(text("SELECT number FROM test_effects ORDER BY number"))
            effective = select(IdempotencyKey.key).where(IdempotencyKey.state == "effective").order_by("key")
            return list(effects), list(await tx.session.scalars(effective))


@pytest.fixture
async def requests(database: Database) -> Requests:
    requests = Requests(database)
    await requests.claim_keys()
    return requests


async def test_each_effect_is_committed_with_its_key(requests: Requests) -> None:
    assert [None] * REQUESTS == await requests.take_effect_at_once()
    assert (list(range(REQUESTS)), [str(number) for number in range(REQUESTS)]) == await requests.outcome()


async def test_a_request_that_has_lost_its_claim_fails_alone(requests: Requests) -> None:
    """Another request has taken it over."""
    lost = requests.claimed[3]
    requests.claimed[3] = Claimed(lost.owner, lost.key, "an earlier attempt")
    failures = await requests.take_effect_at_once()
    assert [3] == [number for number, failure in enumerate(failures) if isinstance(failure, Problem)]
    others = [number for number in range(REQUESTS) if number != 3]
    assert (others, [str(number) for number in others]) == await requests.outcome()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_after_a_failed_commit_no_key_is_effective_and_each_request_can_be_repeated(requests: Requests) -> None:
    with full_log(requests.database):
        failures = await requests.take_effect_at_once()
    assert all(isinstance(failure, Problem) for failure in failures)
    assert ([], []) == await requests.outcome()
    assert [None] * REQUESTS == await requests.take_effect_at_once()
    assert (list(range(REQUESTS)), [str(number) for number in range(REQUESTS)]) == await requests.outcome()
