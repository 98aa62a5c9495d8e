"""Authentication of requests."""

from datetime import timedelta

import jwt

from metastore.features.auth.sessions.tokens import Tokens
from tests.features.auth.auth_app import API, SECRET, AuthApp, code_of
from tests.fixtures.statement_counter import counting_statements


async def response_to(app: AuthApp, token: str) -> tuple[int, str]:
    """Return the status and code of the response to a request with that access token."""
    cookie = f"access_token={token}".encode()
    return code_of(await app.browser().get(f"{API}/me", headers=[(b"cookie", cookie)]))


async def test_a_request_without_a_cookie_is_unauthenticated(app: AuthApp) -> None:
    """The response is 401 ``not-authenticated``."""
    assert code_of(await app.browser().get(f"{API}/me")) == (401, "not-authenticated")


async def test_a_malformed_token_is_rejected(app: AuthApp) -> None:
    """Anything that is not a token gets 401."""
    for token in ("", "x", "a.b.c", "....", "€.€.€", '"', "e30.e30.e30", "A" * 4000):
        assert await response_to(app, token) == (401, "not-authenticated")


async def test_a_forged_signature_is_rejected(app: AuthApp) -> None:
    """A token with one changed character, or signed with another key, is invalid."""
    token = (await app.register_and_sign_in("mai")).cookies["access_token"]
    claims = jwt.decode(token, options={"verify_signature": False})
    other = Tokens(b"some other secret key of 32 bytes", clock=app.clock)
    session = (await app.session_rows())[0]
    foreign = other.issue(
        claims["sub"], claims["sid"], 0, refreshed_at=session.refreshed_at, expires_at=session.expires_at
    )
    head, body, signature = token.split(".")
    flipped = ("B" if signature[0] == "A" else "A") + signature[1:]
    for forged in (f"{head}.{body}.{flipped}", foreign.access_token, f"{head}.{body}."):
        assert await response_to(app, forged) == (401, "not-authenticated")


async def test_a_refresh_token_is_no_access_token(app: AuthApp) -> None:
    """The kinds of token are not interchangeable."""
    browser = await app.register_and_sign_in("mai")
    assert await response_to(app, browser.cookies["refresh_token"]) == (401, "not-authenticated")


async def test_an_expired_token_has_its_own_code(app: AuthApp) -> None:
    """401 ``token-expired`` asks the client to refresh."""
    browser = await app.register_and_sign_in("mai")
    app.clock.forward(15 * 60 - 1)
    assert (await browser.get(f"{API}/me")).status_code == 200
    app.clock.forward(2)
    assert code_of(await browser.get(f"{API}/me")) == (401, "token-expired")


async def test_suspending_a_user_takes_effect_at_once(app: AuthApp) -> None:
    """The next request gets 403, even with a valid token; ending the suspension restores access."""
    browser = await app.register_and_sign_in("mai")
    await app.set("mai", status="SUSPENDED")
    assert code_of(await browser.get(f"{API}/me")) == (403, "account-suspended")
    await app.set("mai", status="ACTIVE")
    assert (await browser.get(f"{API}/me")).status_code == 200


async def test_an_ended_session_ends_access(app: AuthApp) -> None:
    """A valid access token is not enough without an active session."""
    tokens = Tokens(SECRET, access_ttl=30 * 24 * 3600, clock=app.clock)
    await app.register_and_sign_in("mai")
    (session,) = await app.session_rows()
    long_lived = tokens.issue(
        session.user_id,
        session.id,
        0,
        refreshed_at=session.refreshed_at,
        expires_at=session.refreshed_at + timedelta(days=30),
    )
    app.clock.forward(8 * 24 * 3600)
    assert await response_to(app, long_lived.access_token) == (401, "not-authenticated")


async def test_session_and_user_of_a_token_must_match(app: AuthApp) -> None:
    """A token that combines a user with another user's session is rejected."""
    await app.register_and_sign_in("mai")
    lan = await app.register("lan")
    (session,) = await app.session_rows()
    mixed = app.tokens.issue(lan["id"], session.id, 0, refreshed_at=session.refreshed_at, expires_at=session.expires_at)
    assert await response_to(app, mixed.access_token) == (401, "not-authenticated")


async def test_an_admin_endpoint_requires_the_current_role(app: AuthApp) -> None:
    """Other users get 403 ``admin-required``; the role is read on every request."""
    browser = await app.register_and_sign_in("mai")
    assert code_of(await browser.get("/admins-only")) == (403, "admin-required")
    await app.set("mai", role="ADMIN")
    assert (await browser.get("/admins-only")).json() == "mai"
    assert code_of(await app.browser().get("/admins-only")) == (401, "not-authenticated")


async def test_authenticating_a_request_takes_one_statement(app: AuthApp) -> None:
    """Session and user are read by one query, since every request needs them."""
    browser = await app.register_and_sign_in("mai")
    await app.set("mai", role="ADMIN")
    with counting_statements() as counter:
        await app.database.aclose()  # connections are counted that are opened from now on
        assert (await browser.get("/admins-only")).status_code == 200
        assert counter.cost.statements == 1
