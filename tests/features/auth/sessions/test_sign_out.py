"""Signing out."""

from tests.features.auth.auth_app import API, AuthApp, code_of


async def test_signing_out_ends_the_session_at_once(app: AuthApp) -> None:
    """Copies of both tokens are rejected from then on."""
    browser = await app.register_and_sign_in("mai")
    copy = app.browser_with(dict(browser.cookies))
    response = await browser.post(f"{API}/logout")
    assert (response.status_code, response.content) == (204, b"")
    assert code_of(await copy.get(f"{API}/me")) == (401, "not-authenticated")
    assert code_of(await copy.post(f"{API}/refresh")) == (401, "not-authenticated")


async def test_signing_out_clears_both_cookies(app: AuthApp) -> None:
    """The browser keeps none."""
    browser = await app.register_and_sign_in("mai")
    await browser.post(f"{API}/logout")
    assert dict(browser.cookies) == {}


async def test_signing_out_is_recorded_so_that_sockets_are_closed(app: AuthApp) -> None:
    """``session.revoked`` has the reason ``signed-out`` and the user as actor."""
    browser = await app.register_and_sign_in("mai")
    await browser.post(f"{API}/logout")
    (session,) = await app.session_rows()
    (event,) = await app.events("session.revoked")
    assert event.payload == {"userId": session.user_id, "sessionId": session.id, "reason": "signed-out"}
    assert event.headers["actorId"] == session.user_id


async def test_signing_out_with_expired_tokens_works(app: AuthApp) -> None:
    """Expired tokens still identify the session to revoke."""
    browser = await app.register_and_sign_in("mai")
    app.clock.forward(3600)
    assert (await browser.post(f"{API}/logout")).status_code == 204
    assert len(await app.events("session.revoked")) == 1


async def test_signing_out_twice_or_without_cookies_is_no_error(app: AuthApp) -> None:
    """The response is 204, and nothing is recorded twice."""
    browser = await app.register_and_sign_in("mai")
    copy = app.browser_with(dict(browser.cookies))
    for visitor in (browser, copy, app.browser()):
        assert (await visitor.post(f"{API}/logout")).status_code == 204
    assert len(await app.events("session.revoked")) == 1


async def test_forged_cookies_sign_nobody_out(app: AuthApp) -> None:
    """The response is 204, and the session continues."""
    browser = await app.register_and_sign_in("mai")
    forged = browser.cookies["access_token"][:-4] + "AAAA"
    forger = app.browser_with({"access_token": forged, "refresh_token": "x.y.z"})
    assert (await forger.post(f"{API}/logout")).status_code == 204
    assert (await browser.get(f"{API}/me")).status_code == 200


async def test_signing_out_leaves_other_devices_alone(app: AuthApp) -> None:
    """Only the current session is revoked."""
    browser = await app.register_and_sign_in("mai")
    other = await app.signed_in("mai")
    await browser.post(f"{API}/logout")
    assert (await other.get(f"{API}/me")).status_code == 200
