"""The contract of the ``RateLimiter`` port."""

import asyncio
from abc import ABC, abstractmethod

from metastore.ports.rate_limiter import Limit, RateLimiter
from tests.fixtures.waiting import eventually

THREE = Limit("three", 3, 60)
BRIEF = Limit("brief", 1, 1)


class RateLimiterContract(ABC):
    """The tests that every rate limiter passes. Subclasses provide the fixture ``limiter``."""

    @abstractmethod
    def limiter(self) -> RateLimiter:
        """Fixture: a rate limiter that has counted nothing."""

    async def test_attempts_within_the_limit_are_allowed_and_the_next_is_not(self, limiter: RateLimiter) -> None:
        """Each result has the number of remaining attempts and the time until the window ends."""
        results = [await limiter.attempt(THREE, "mai") for _ in range(5)]
        assert [(s.allowed, s.remaining) for s in results] == [
            (True, 2),
            (True, 1),
            (True, 0),
            (False, 0),
            (False, 0),
        ]
        assert all(55 < s.reset_after <= 60 for s in results)

    async def test_keys_are_counted_separately(self, limiter: RateLimiter) -> None:
        """A key that has reached the limit does not affect another."""
        for _ in range(4):
            await limiter.attempt(THREE, "mai")
        assert (await limiter.attempt(THREE, "lan")).remaining == 2

    async def test_limits_are_counted_separately(self, limiter: RateLimiter) -> None:
        """A key has a count of its own under each limit."""
        await limiter.attempt(THREE, "mai")
        assert (await limiter.attempt(Limit("other", 3, 60), "mai")).remaining == 2

    async def test_a_refunded_attempt_does_not_count(self, limiter: RateLimiter) -> None:
        """However often attempts are refunded."""
        for _ in range(10):
            assert (await limiter.attempt(THREE, "mai")).remaining == 2
            await limiter.refund(THREE, "mai")

    async def test_refunds_do_not_add_attempts(self, limiter: RateLimiter) -> None:
        """The count does not drop below zero when attempts are refunded that were never made."""
        for _ in range(5):
            await limiter.refund(THREE, "mai")
        results = [await limiter.attempt(THREE, "mai") for _ in range(4)]
        assert [s.allowed for s in results] == [True, True, True, False]

    async def test_a_refused_attempt_is_not_counted(self, limiter: RateLimiter) -> None:
        """A refund allows one more attempt, however many were refused in between."""
        for _ in range(9):
            await limiter.attempt(THREE, "mai")
        await limiter.refund(THREE, "mai")
        assert (await limiter.attempt(THREE, "mai")).allowed
        assert not (await limiter.attempt(THREE, "mai")).allowed

    async def test_concurrent_attempts_are_counted_exactly(self, limiter: RateLimiter) -> None:
        """Three of twenty are allowed."""
        results = await asyncio.gather(*(limiter.attempt(THREE, "mai") for _ in range(20)))
        assert sum(s.allowed for s in results) == 3

    async def test_counting_restarts_after_the_window(self, limiter: RateLimiter) -> None:
        """Refused attempts do not extend the window."""
        assert (await limiter.attempt(BRIEF, "mai")).allowed
        assert not (await limiter.attempt(BRIEF, "mai")).allowed

        async def allowed() -> bool:
            return (await limiter.attempt(BRIEF, "mai")).allowed

        await eventually(allowed)

    async def test_any_text_is_a_key(self, limiter: RateLimiter) -> None:
        """Keys that differ in spaces, slashes, script or length are counted separately."""
        keys = ["a/b", "a", "b", "a b", "名前", "k" * 300, "k" * 301, "", "*"]
        assert [2] * len(keys) == [(await limiter.attempt(THREE, key)).remaining for key in keys]
