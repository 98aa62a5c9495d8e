"""The contract of the ``RateLimiter`` port."""

import asyncio
from abc import ABC, abstractmethod

from metastore.ports.rate_limiter import Limit, RateLimiter
from tests.fixtures.waiting import eventually

THREE = Limit("three", 3, 60)
BRIEF = Limit("brief", 1, 1)


class RateLimiterContract(ABC):
    """Inherit this, and provide the fixture ``limiter``."""

    @abstractmethod
    def limiter(self) -> RateLimiter:
        """A fixture: a limiter without counts."""

    async def test_attempts_within_the_limit_are_allowed_and_the_next_is_not(self, limiter: RateLimiter) -> None:
        """Each says how many are left and when the count begins anew."""
        standings = [await limiter.attempt(THREE, "mai") for _ in range(5)]
        assert [(s.allowed, s.remaining) for s in standings] == [
            (True, 2),
            (True, 1),
            (True, 0),
            (False, 0),
            (False, 0),
        ]
        assert all(55 < s.reset_after <= 60 for s in standings)

    async def test_keys_are_counted_apart(self, limiter: RateLimiter) -> None:
        """One who used up the limit does not use up another's."""
        for _ in range(4):
            await limiter.attempt(THREE, "mai")
        assert (await limiter.attempt(THREE, "lan")).remaining == 2

    async def test_limits_are_counted_apart(self, limiter: RateLimiter) -> None:
        """The same key under another limit has another count."""
        await limiter.attempt(THREE, "mai")
        assert (await limiter.attempt(Limit("other", 3, 60), "mai")).remaining == 2

    async def test_a_refunded_attempt_does_not_count(self, limiter: RateLimiter) -> None:
        """As often as it is done."""
        for _ in range(10):
            assert (await limiter.attempt(THREE, "mai")).remaining == 2
            await limiter.refund(THREE, "mai")

    async def test_forgiving_gains_nothing_below_zero(self, limiter: RateLimiter) -> None:
        """Nobody can save up attempts, nor does forgiving what was never counted."""
        for _ in range(5):
            await limiter.refund(THREE, "mai")
        standings = [await limiter.attempt(THREE, "mai") for _ in range(4)]
        assert [s.allowed for s in standings] == [True, True, True, False]

    async def test_a_refused_attempt_is_not_counted(self, limiter: RateLimiter) -> None:
        """One refunded attempt allows one more, however many were refused in between."""
        for _ in range(9):
            await limiter.attempt(THREE, "mai")
        await limiter.refund(THREE, "mai")
        assert (await limiter.attempt(THREE, "mai")).allowed
        assert not (await limiter.attempt(THREE, "mai")).allowed

    async def test_parallel_attempts_are_counted_one_by_one(self, limiter: RateLimiter) -> None:
        """Of twenty at once three are allowed."""
        standings = await asyncio.gather(*(limiter.attempt(THREE, "mai") for _ in range(20)))
        assert sum(s.allowed for s in standings) == 3

    async def test_after_the_window_the_count_begins_anew(self, limiter: RateLimiter) -> None:
        """Being refused does not prolong it."""
        assert (await limiter.attempt(BRIEF, "mai")).allowed
        assert not (await limiter.attempt(BRIEF, "mai")).allowed

        async def allowed() -> bool:
            return (await limiter.attempt(BRIEF, "mai")).allowed

        await eventually(allowed)

    async def test_any_text_is_a_key(self, limiter: RateLimiter) -> None:
        """Spaces, slashes, other scripts and lengths do not run into each other."""
        keys = ["a/b", "a", "b", "a b", "名前", "k" * 300, "k" * 301, "", "*"]
        assert [2] * len(keys) == [(await limiter.attempt(THREE, key)).remaining for key in keys]
