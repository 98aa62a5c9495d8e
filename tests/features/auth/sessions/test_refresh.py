"""Refreshing sessions."""

import asyncio
from datetime import timedelta

import httpx
from sqlalchemy import update

from metastore.features.auth.models import Session
from tests.features.auth.auth_app import API, AuthApp, code_of


async def refreshed(browser: httpx.AsyncClient) -> dict[str, str]:
    """Refresh and return the new cookies."""
    response = await browser.post(f"{API}/refresh")
    assert response.status_code == 200, response.text
    return dict(browser.cookies)


async def test_a_refresh_renews_both_cookies_and_returns_the_user(app: AuthApp) -> None:
    """The browser continues after the access token has expired."""
    browser = await app.register_and_sign_in("mai")
    before = dict(browser.cookies)
    app.clock.forward(16 * 60)
    assert code_of(await browser.get(f"{API}/me")) == (401, "token-expired")
    response = await browser.post(f"{API}/refresh")
    after = dict(browser.cookies)
    assert response.json()["user"]["username"] == "mai"
    assert before["access_token"] != after["access_token"]
    assert before["refresh_token"] != after["refresh_token"]
    assert (await browser.get(f"{API}/me")).status_code == 200


async def test_a_refresh_extends_the_session(app: AuthApp) -> None:
    """It expires seven days after the last refresh."""
    browser = await app.register_and_sign_in("mai")
    for _ in range(3):
        app.clock.forward(6 * 24 * 3600)
        await refreshed(browser)


async def test_a_session_in_use_ends_ninety_days_after_signing_in(app: AuthApp) -> None:
    """Refreshing does not extend it further, and the last tokens expire with it."""
    browser = await app.register_and_sign_in("mai")
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


async def test_a_session_older_than_the_maximum_is_not_refreshed(app: AuthApp) -> None:
    """It may have been opened before the maximum was introduced."""
    browser = await app.register_and_sign_in("mai")
    async with app.database.transaction() as tx:
        await tx.session.execute(update(Session).values(created_at=app.clock() - timedelta(days=91)))
    assert code_of(await browser.post(f"{API}/refresh")) == (401, "not-authenticated")


async def test_an_unused_session_expires(app: AuthApp) -> None:
    """After seven days, the response is 401 ``token-expired``."""
    browser = await app.register_and_sign_in("mai")
    app.clock.forward(7 * 24 * 3600 + 1)
    assert code_of(await browser.post(f"{API}/refresh")) == (401, "token-expired")


async def test_parallel_refreshes_get_byte_for_byte_the_same_successor(app: AuthApp) -> None:
    """Tabs that refresh at the same time stay signed in, and no reuse is recorded."""
    tokens = dict((await app.register_and_sign_in("mai")).cookies)
    app.clock.forward(60)
    successors = await asyncio.gather(*(refreshed(app.browser_with(tokens)) for _ in range(6)))
    assert len({tuple(sorted(successor.items())) for successor in successors}) == 1
    assert successors[0] != tokens
    (session,) = await app.session_rows()
    assert (session.generation, session.revoked_at) == (1, None)
    assert await app.events("session.reused") == []


async def test_a_late_tab_within_ten_seconds_gets_the_same_successor(app: AuthApp) -> None:
    """The response to the first refresh may have been lost."""
    tokens = dict((await app.register_and_sign_in("mai")).cookies)
    app.clock.forward(60)
    successor = await refreshed(app.browser_with(tokens))
    app.clock.forward(9.9)
    assert await refreshed(app.browser_with(tokens)) == successor


async def test_reusing_an_old_refresh_token_revokes_the_session(app: AuthApp) -> None:
    """After ten seconds the token counts as stolen: thief and owner are signed out, and the reuse is recorded."""
    stolen = dict((await app.register_and_sign_in("mai")).cookies)
    app.clock.forward(60)
    owner = app.browser_with(await refreshed(app.browser_with(stolen)))
    app.clock.forward(10.1)
    assert code_of(await app.browser_with(stolen).post(f"{API}/refresh")) == (401, "refresh-reused")
    assert code_of(await owner.get(f"{API}/me")) == (401, "not-authenticated")
    assert code_of(await owner.post(f"{API}/refresh")) == (401, "not-authenticated")
    (session,) = await app.session_rows()
    reused, revoked = await app.events("session.reused", "session.revoked")
    assert session.revoke_reason == "refresh-reused"
    assert reused.payload == {"userId": session.user_id, "sessionId": session.id, "generation": 0}
    assert revoked.payload["reason"] == "refresh-reused"


async def test_a_token_two_generations_old_is_always_reuse(app: AuthApp) -> None:
    """Only the previous generation is accepted for ten seconds."""
    oldest = dict((await app.register_and_sign_in("mai")).cookies)
    await refreshed(app.browser_with(await refreshed(app.browser_with(oldest))))
    assert code_of(await app.browser_with(oldest).post(f"{API}/refresh")) == (401, "refresh-reused")


async def test_reuse_revokes_only_its_own_session(app: AuthApp) -> None:
    """The user's other devices stay signed in."""
    first = await app.register_and_sign_in("mai")
    other = await app.signed_in("mai")
    stolen = dict(first.cookies)
    await refreshed(first)
    app.clock.forward(60)
    await app.browser_with(stolen).post(f"{API}/refresh")
    assert (await other.get(f"{API}/me")).status_code == 200


async def test_a_suspended_user_cannot_refresh(app: AuthApp) -> None:
    """The response is 403, and the token stays usable: the session continues after the suspension."""
    browser = await app.register_and_sign_in("mai")
    await app.set("mai", status="SUSPENDED")
    assert code_of(await browser.post(f"{API}/refresh")) == (403, "account-suspended")
    await app.set("mai", status="ACTIVE")
    app.clock.forward(60)
    await refreshed(browser)


async def test_refreshing_requires_a_refresh_token(app: AuthApp) -> None:
    """An access token is not accepted instead."""
    assert code_of(await app.browser().post(f"{API}/refresh")) == (401, "not-authenticated")
    tokens = dict((await app.register_and_sign_in("mai")).cookies)
    confused = app.browser_with({"refresh_token": tokens["access_token"]})
    assert code_of(await confused.post(f"{API}/refresh")) == (401, "not-authenticated")
