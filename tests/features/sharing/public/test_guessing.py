"""Guessing the password of a share link."""

import asyncio

import pytest

from metastore.adapters.rate_limiter.memory import MemoryRateLimiter
from metastore.features.sharing.public.guessing import PasswordCheck
from metastore.kit.context import RequestContext, open_context
from metastore.kit.problems.problem import Problem
from tests.fixtures.passwords import CountingHasher


class GuardedLink:
    """A link with the password ``right``."""

    def __init__(self) -> None:
        self.hasher = CountingHasher()
        self.reports = 0
        self._passwords = PasswordCheck(self.hasher, MemoryRateLimiter())

    async def response_to(self, password: str, address: str = "192.0.2.1", link_id: str = "link") -> int:
        """Return the status of the response to a password from an address."""
        with open_context(RequestContext("request", address)):
            try:
                await self._passwords.verify(link_id, "v1:right", password, self._report)
            except Problem as problem:
                return problem.status
        return 200

    async def _report(self) -> None:
        self.reports += 1


@pytest.fixture
def link() -> GuardedLink:
    return GuardedLink()


async def test_an_address_has_15_guesses_an_hour_for_a_link(link: GuardedLink) -> None:
    responses = [await link.response_to("wrong") for _ in range(17)]

    assert [401] * 15 + [429] * 2 == responses
    assert 429 == await link.response_to("right")
    assert 200 == await link.response_to("right", "192.0.2.2")
    assert 200 == await link.response_to("right", link_id="another")
    assert 17 == len(link.hasher.verified)


async def test_ten_thousand_guesses_from_a_thousand_addresses_cost_at_most_120_hashes(link: GuardedLink) -> None:
    """They are counted before they are hashed, also when they come at the same time."""
    guesses = [link.response_to("wrong", f"2001:db8::{number % 1000:x}") for number in range(10_000)]

    responses = await asyncio.gather(*guesses)

    assert 120 == len(link.hasher.verified) == responses.count(401)
    assert 9_880 == responses.count(429)


async def test_that_a_link_is_being_guessed_is_reported_once(link: GuardedLink) -> None:
    """Not because of one address, but when the link accepts no more guesses from anybody."""
    for number in range(120):
        await link.response_to("wrong", f"2001:db8::{number % 10:x}")
    assert 0 == link.reports

    for number in range(120):
        await link.response_to("wrong", f"2001:db8:1::{number:x}")

    assert 1 == link.reports


async def test_right_passwords_are_not_counted(link: GuardedLink) -> None:
    responses = [await link.response_to("right") for _ in range(150)]

    assert {200} == set(responses)


async def test_an_address_that_is_stopped_takes_no_guesses_from_others(link: GuardedLink) -> None:
    for _ in range(500):
        await link.response_to("wrong")

    assert 401 == await link.response_to("wrong", "192.0.2.2")
    assert 200 == await link.response_to("right", "192.0.2.3")
