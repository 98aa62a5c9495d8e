"""Guessing passwords."""

import asyncio

from metastore.features.auth.throttle import AuthLimits
from metastore.kit.database import Database
from metastore.ports.rate_limiter import Limit
from tests.features.auth.house import API, PASSWORD, House, code_of
from tests.features.auth.test_signing_in import attempt


async def test_an_account_takes_ten_wrong_passwords_and_then_not_even_the_right_one(house: House) -> None:
    """429 with when to come back, in RFC 9110's and the RateLimit draft's words; nothing is verified any more."""
    await house.register("mai")
    guesses = [await attempt(house.browser(address=f"192.0.2.{n}"), "mai", "a wrong guess") for n in range(10)]
    refused = await attempt(house.browser(address="192.0.2.200"), "mai", PASSWORD)
    assert {code_of(guess) for guess in guesses} == {(401, "invalid-credentials")}
    assert code_of(refused) == (429, "too-many-attempts")
    wait = int(refused.headers["retry-after"])
    assert 290 <= wait <= 300
    assert refused.headers["ratelimit-policy"] == '"login-account";q=10;w=300'
    assert refused.headers["ratelimit"] == f'"login-account";r=0;t={wait}'
    assert len(house.hasher.verified) == 10


async def test_parallel_guesses_are_counted_before_they_are_verified(house: House) -> None:
    """Of thirty guesses at once ten are looked at."""
    await house.register("mai")
    guesses = await asyncio.gather(*(attempt(house.browser(), "mai", f"wrong guess {n}") for n in range(30)))
    assert sorted(guess.status_code for guess in guesses) == [401] * 10 + [429] * 20
    assert len(house.hasher.verified) == 10


async def test_name_and_address_of_an_account_share_one_count(house: House) -> None:
    """Guessing by e-mail address does not double the guesses."""
    await house.register("mai")
    for name in ("mai", "mai@example.org") * 5:
        await attempt(house.browser(), name, "a wrong guess")
    assert code_of(await attempt(house.browser(), "MAI", PASSWORD))[0] == 429


async def test_names_that_nobody_has_are_throttled_alike(house: House) -> None:
    """The throttle does not tell which accounts exist."""
    for _ in range(10):
        await attempt(house.browser(), "nobody", "a wrong guess")
    assert code_of(await attempt(house.browser(), "nobody", "a wrong guess")) == (429, "too-many-attempts")


async def test_signing_in_rightly_is_never_throttled(house: House) -> None:
    """Successful sign-ins are taken off the counts."""
    await house.register("mai")
    for _ in range(15):
        await house.signed_in("mai")


async def test_a_throttled_account_leaves_the_others_alone(house: House) -> None:
    """The count is the account's."""
    await house.register("mai")
    await house.register("lan")
    for _ in range(11):
        await attempt(house.browser(), "mai", "a wrong guess")
    await house.signed_in("lan")


async def test_an_address_that_guesses_at_many_accounts_is_stopped(database: Database) -> None:
    """Only its failures count, and other addresses are not affected."""
    house = House(database, limits=AuthLimits(login_per_address=Limit("login-address", 3, 300)))
    await house.register("mai")
    for _ in range(5):
        await house.signed_in("mai")
    for n in range(3):
        await attempt(house.browser(), f"guess-{n}", "a wrong guess")
    refused = await attempt(house.browser(), "mai", PASSWORD)
    assert code_of(refused) == (429, "too-many-attempts")
    assert refused.headers["ratelimit-policy"] == '"login-address";q=3;w=300'
    await house.signed_in("mai", address="192.0.2.50")
    await house.aclose()


async def test_guessing_the_current_password_of_an_open_session_is_throttled(house: House) -> None:
    """Whoever finds an open browser cannot try passwords through the profile."""
    browser = await house.newcomer("mai")
    change = {"password": "another password", "currentPassword": "a wrong guess"}
    answers = [await browser.patch(f"{API}/me", json=change) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [422] * 10 + [429]
