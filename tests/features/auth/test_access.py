"""Who is let in."""

from datetime import timedelta

import jwt
from sqlalchemy import event

from metastore.features.auth.tokens import Tokens
from tests.features.auth.house import API, SECRET, House, code_of


async def answer_to(app: House, token: str) -> tuple[int, str]:
    """What a request with that access token gets."""
    cookie = f"access_token={token}".encode()
    return code_of(await app.browser().get(f"{API}/me", headers=[(b"cookie", cookie)]))


async def test_nobody_is_let_in_without_a_cookie(app: House) -> None:
    """401 ``not-authenticated``."""
    assert code_of(await app.browser().get(f"{API}/me")) == (401, "not-authenticated")


async def test_nonsense_is_refused(app: House) -> None:
    """401 for anything that is no token."""
    for token in ("", "x", "a.b.c", "....", "€.€.€", '"', "e30.e30.e30", "A" * 4000):
        assert await answer_to(app, token) == (401, "not-authenticated")


async def test_a_forged_signature_is_refused(app: House) -> None:
    """A token with one changed character, or signed with another key, is nobody's."""
    token = (await app.newcomer("mai")).cookies["access_token"]
    claims = jwt.decode(token, options={"verify_signature": False})
    other = Tokens(b"some other secret key of 32 bytes", clock=app.clock)
    session = (await app.session_rows())[0]
    foreign = other.issue(
        claims["sub"], claims["sid"], 0, refreshed_at=session.refreshed_at, expires_at=session.expires_at
    )
    head, body, signature = token.split(".")
    flipped = ("B" if signature[0] == "A" else "A") + signature[1:]
    for forged in (f"{head}.{body}.{flipped}", foreign.access_token, f"{head}.{body}."):
        assert await answer_to(app, forged) == (401, "not-authenticated")


async def test_a_refresh_token_does_not_open_the_door(app: House) -> None:
    """The kinds of token are not interchangeable."""
    browser = await app.newcomer("mai")
    assert await answer_to(app, browser.cookies["refresh_token"]) == (401, "not-authenticated")


async def test_an_expired_token_is_told_so(app: House) -> None:
    """401 ``token-expired`` tells the client to refresh."""
    browser = await app.newcomer("mai")
    app.clock.forward(15 * 60 - 1)
    assert (await browser.get(f"{API}/me")).status_code == 200
    app.clock.forward(2)
    assert code_of(await browser.get(f"{API}/me")) == (401, "token-expired")


async def test_a_suspended_user_is_refused_at_once(app: House) -> None:
    """403 on the next request, whatever the token says; and let in again when the suspension ends."""
    browser = await app.newcomer("mai")
    await app.set("mai", status="SUSPENDED")
    assert code_of(await browser.get(f"{API}/me")) == (403, "account-suspended")
    await app.set("mai", status="ACTIVE")
    assert (await browser.get(f"{API}/me")).status_code == 200


async def test_a_session_row_that_is_over_ends_access(app: House) -> None:
    """Even a good access token needs its session."""
    tokens = Tokens(SECRET, access_ttl=30 * 24 * 3600, clock=app.clock)
    await app.newcomer("mai")
    (session,) = await app.session_rows()
    long_lived = tokens.issue(
        session.user_id,
        session.id,
        0,
        refreshed_at=session.refreshed_at,
        expires_at=session.refreshed_at + timedelta(days=30),
    )
    app.clock.forward(8 * 24 * 3600)
    assert await answer_to(app, long_lived.access_token) == (401, "not-authenticated")


async def test_a_session_of_another_user_does_not_fit(app: House) -> None:
    """Session and user of a token belong together."""
    await app.newcomer("mai")
    lan = await app.register("lan")
    (session,) = await app.session_rows()
    mixed = app.tokens.issue(lan["id"], session.id, 0, refreshed_at=session.refreshed_at, expires_at=session.expires_at)
    assert await answer_to(app, mixed.access_token) == (401, "not-authenticated")


async def test_only_admins_pass_where_admins_are_asked_for(app: House) -> None:
    """403 ``admin-required`` for others, by the role of this very moment."""
    browser = await app.newcomer("mai")
    assert code_of(await browser.get("/admins-only")) == (403, "admin-required")
    await app.set("mai", role="ADMIN")
    assert (await browser.get("/admins-only")).json() == "mai"
    assert code_of(await app.browser().get("/admins-only")) == (401, "not-authenticated")


async def test_knowing_the_caller_takes_one_statement(app: House) -> None:
    """Session and user come in one query, since every request pays for it."""
    browser = await app.newcomer("mai")
    await app.set("mai", role="ADMIN")
    statements: list[str] = []

    def note(_c: object, _cu: object, statement: str, *_rest: object) -> None:
        if not statement.startswith("BEGIN"):
            statements.append(statement)

    event.listen(app.database.engine.sync_engine, "before_cursor_execute", note)
    assert (await browser.get("/admins-only")).status_code == 200
    assert len(statements) == 1
