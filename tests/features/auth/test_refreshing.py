"""Staying signed in."""

import asyncio
from datetime import timedelta

import httpx
from sqlalchemy import update

from metastore.features.auth.models import Session
from tests.features.auth.house import API, House, code_of


async def refreshed(browser: httpx.AsyncClient) -> dict[str, str]:
    """The cookies after refreshing."""
    response = await browser.post(f"{API}/refresh")
    assert response.status_code == 200, response.text
    return dict(browser.cookies)


async def test_a_refresh_renews_both_cookies_and_shows_the_user(app: House) -> None:
    """The user goes on after the access token's time is over."""
    browser = await app.newcomer("mai")
    before = dict(browser.cookies)
    app.clock.forward(16 * 60)
    assert code_of(await browser.get(f"{API}/me")) == (401, "token-expired")
    response = await browser.post(f"{API}/refresh")
    after = dict(browser.cookies)
    assert response.json()["user"]["username"] == "mai"
    assert before["access_token"] != after["access_token"]
    assert before["refresh_token"] != after["refresh_token"]
    assert (await browser.get(f"{API}/me")).status_code == 200


async def test_a_session_lives_on_by_being_used(app: House) -> None:
    """Seven days are counted from the last refresh."""
    browser = await app.newcomer("mai")
    for _ in range(3):
        app.clock.forward(6 * 24 * 3600)
        await refreshed(browser)


async def test_a_session_in_use_ends_ninety_days_after_signing_in(app: House) -> None:
    """What was stolen and is kept in use is of no use for ever; the last tokens say when they end."""
    browser = await app.newcomer("mai")
    for _ in range(14):
        app.clock.forward(6 * 24 * 3600)
        await refreshed(browser)
    (session,) = await app.session_rows()
    assert session.expires_at == session.created_at + timedelta(days=90)
    app.clock.forward(6 * 24 * 3600 - 1)
    await refreshed(browser)
    app.clock.forward(1)
    assert code_of(await browser.post(f"{API}/refresh")) == (401, "token-expired")
    assert code_of(await browser.get(f"{API}/me")) == (401, "not-authenticated")


async def test_a_session_older_than_any_may_be_is_not_refreshed(app: House) -> None:
    """Such as one that was opened before there was an end to sessions."""
    browser = await app.newcomer("mai")
    async with app.database.transaction() as tx:
        await tx.session.execute(update(Session).values(created_at=app.clock() - timedelta(days=91)))
    assert code_of(await browser.post(f"{API}/refresh")) == (401, "not-authenticated")


async def test_a_session_that_rests_too_long_is_over(app: House) -> None:
    """401 ``token-expired`` after seven days."""
    browser = await app.newcomer("mai")
    app.clock.forward(7 * 24 * 3600 + 1)
    assert code_of(await browser.post(f"{API}/refresh")) == (401, "token-expired")


async def test_parallel_refreshes_get_byte_for_byte_the_same_successor(app: House) -> None:
    """Tabs that refresh at once all stay signed in, with the same tokens, and nobody is accused of reuse."""
    tokens = dict((await app.newcomer("mai")).cookies)
    app.clock.forward(60)
    successors = await asyncio.gather(*(refreshed(app.holding(tokens)) for _ in range(6)))
    assert len({tuple(sorted(successor.items())) for successor in successors}) == 1
    assert successors[0] != tokens
    (session,) = await app.session_rows()
    assert (session.generation, session.revoked_at) == (1, None)
    assert await app.events("session.reused") == []


async def test_a_late_tab_within_ten_seconds_gets_the_same_successor(app: House) -> None:
    """The answer to the first refresh may have been lost on its way."""
    tokens = dict((await app.newcomer("mai")).cookies)
    app.clock.forward(60)
    successor = await refreshed(app.holding(tokens))
    app.clock.forward(9.9)
    assert await refreshed(app.holding(tokens)) == successor


async def test_an_old_refresh_token_used_again_ends_the_whole_family(app: House) -> None:
    """After ten seconds it means that somebody has a copy: thief and owner are both signed out, and it is recorded."""
    stolen = dict((await app.newcomer("mai")).cookies)
    app.clock.forward(60)
    owner = app.holding(await refreshed(app.holding(stolen)))
    app.clock.forward(10.1)
    assert code_of(await app.holding(stolen).post(f"{API}/refresh")) == (401, "refresh-reused")
    assert code_of(await owner.get(f"{API}/me")) == (401, "not-authenticated")
    assert code_of(await owner.post(f"{API}/refresh")) == (401, "not-authenticated")
    (session,) = await app.session_rows()
    reused, revoked = await app.events("session.reused", "session.revoked")
    assert session.revoke_reason == "refresh-reused"
    assert reused.payload == {"userId": session.user_id, "sessionId": session.id, "generation": 0}
    assert revoked.payload["reason"] == "refresh-reused"


async def test_a_token_two_generations_old_is_reuse_even_at_once(app: House) -> None:
    """Only the generation just before the present one is forgiven."""
    oldest = dict((await app.newcomer("mai")).cookies)
    await refreshed(app.holding(await refreshed(app.holding(oldest))))
    assert code_of(await app.holding(oldest).post(f"{API}/refresh")) == (401, "refresh-reused")


async def test_reuse_ends_only_the_session_that_it_concerns(app: House) -> None:
    """The user's other devices stay signed in."""
    first = await app.newcomer("mai")
    other = await app.signed_in("mai")
    stolen = dict(first.cookies)
    await refreshed(first)
    app.clock.forward(60)
    await app.holding(stolen).post(f"{API}/refresh")
    assert (await other.get(f"{API}/me")).status_code == 200


async def test_a_suspended_user_cannot_refresh(app: House) -> None:
    """403, and the token is not used up: after the suspension the session goes on."""
    browser = await app.newcomer("mai")
    await app.set("mai", status="SUSPENDED")
    assert code_of(await browser.post(f"{API}/refresh")) == (403, "account-suspended")
    await app.set("mai", status="ACTIVE")
    app.clock.forward(60)
    await refreshed(browser)


async def test_without_a_refresh_token_there_is_no_refresh(app: House) -> None:
    """401; an access token does not do in its place."""
    assert code_of(await app.browser().post(f"{API}/refresh")) == (401, "not-authenticated")
    tokens = dict((await app.newcomer("mai")).cookies)
    confused = app.holding({"refresh_token": tokens["access_token"]})
    assert code_of(await confused.post(f"{API}/refresh")) == (401, "not-authenticated")
