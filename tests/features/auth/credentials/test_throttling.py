"""Limits on sign-in attempts."""

import asyncio

from metastore.features.auth.credentials.throttling import AuthLimits
from metastore.kit.database.unit_of_work import Database
from metastore.ports.rate_limiter import Limit
from tests.features.auth.auth_app import API, PASSWORD, AuthApp, code_of
from tests.features.auth.sessions.test_sign_in import sign_in


async def test_after_ten_wrong_passwords_even_the_right_one_is_refused(app: AuthApp) -> None:
    """The response is 429 with ``Retry-After`` and the RateLimit fields; no password is verified any more."""
    await app.register("mai")
    responses = [await sign_in(app.browser(address=f"192.0.2.{n}"), "mai", "a wrong guess") for n in range(10)]
    refused = await sign_in(app.browser(address="192.0.2.200"), "mai", PASSWORD)
    assert {code_of(guess) for guess in responses} == {(401, "invalid-credentials")}
    assert code_of(refused) == (429, "too-many-attempts")
    wait = int(refused.headers["retry-after"])
    assert 290 <= wait <= 300
    assert refused.headers["ratelimit-policy"] == '"login-account";q=10;w=300'
    assert refused.headers["ratelimit"] == f'"login-account";r=0;t={wait}'
    assert len(app.hasher.verified) == 10


async def test_concurrent_attempts_are_counted_before_they_are_verified(app: AuthApp) -> None:
    """Of thirty concurrent attempts, ten are verified."""
    await app.register("mai")
    responses = await asyncio.gather(*(sign_in(app.browser(), "mai", f"wrong guess {n}") for n in range(30)))
    assert sorted(guess.status_code for guess in responses) == [401] * 10 + [429] * 20
    assert len(app.hasher.verified) == 10


async def test_name_and_address_of_an_account_share_one_count(app: AuthApp) -> None:
    """Using the e-mail address does not double the attempts."""
    await app.register("mai")
    for name in ("mai", "mai@example.org") * 5:
        await sign_in(app.browser(), name, "a wrong guess")
    assert code_of(await sign_in(app.browser(), "MAI", PASSWORD))[0] == 429


async def test_unknown_names_are_throttled_alike(app: AuthApp) -> None:
    """Throttling does not reveal which accounts exist."""
    for _ in range(10):
        await sign_in(app.browser(), "nobody", "a wrong guess")
    assert code_of(await sign_in(app.browser(), "nobody", "a wrong guess")) == (429, "too-many-attempts")


async def test_successful_sign_ins_are_never_throttled(app: AuthApp) -> None:
    """Their attempts are refunded."""
    await app.register("mai")
    for _ in range(15):
        await app.signed_in("mai")


async def test_a_throttled_account_does_not_affect_others(app: AuthApp) -> None:
    """Attempts are counted per account."""
    await app.register("mai")
    await app.register("lan")
    for _ in range(11):
        await sign_in(app.browser(), "mai", "a wrong guess")
    await app.signed_in("lan")


async def test_an_address_that_tries_many_accounts_is_throttled(database: Database) -> None:
    """Only failures count, and other addresses are not affected."""
    app = AuthApp(database, limits=AuthLimits(login_per_address=Limit("login-address", 3, 300)))
    await app.register("mai")
    for _ in range(5):
        await app.signed_in("mai")
    for n in range(3):
        await sign_in(app.browser(), f"guess-{n}", "a wrong guess")
    refused = await sign_in(app.browser(), "mai", PASSWORD)
    assert code_of(refused) == (429, "too-many-attempts")
    assert refused.headers["ratelimit-policy"] == '"login-address";q=3;w=300'
    await app.signed_in("mai", address="192.0.2.50")
    await app.aclose()


async def test_guessing_the_current_password_of_an_open_session_is_throttled(app: AuthApp) -> None:
    """An open browser cannot be used to guess the password through the profile."""
    browser = await app.register_and_sign_in("mai")
    change = {"password": "another password", "currentPassword": "a wrong guess"}
    responses = [await browser.patch(f"{API}/me", json=change) for _ in range(11)]
    assert [response.status_code for response in responses] == [422] * 10 + [429]
