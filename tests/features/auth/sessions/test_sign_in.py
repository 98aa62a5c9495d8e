"""Signing in."""

import httpx
import pytest

from metastore.features.auth.schemas import Credentials
from tests.features.auth.auth_app import API, PASSWORD, AuthApp, code_of


async def sign_in(browser: httpx.AsyncClient, name: str, password: str) -> httpx.Response:
    """Send a sign-in request."""
    return await browser.post(f"{API}/login", json={"username": name, "password": password})


@pytest.mark.parametrize("name", ["mai", "MAI", "mai@example.org", "Mai@Example.Org"])
async def test_the_right_password_signs_in_by_name_or_address(app: AuthApp, name: str) -> None:
    """The response contains the user, and later requests are authenticated as that user."""
    await app.register("mai")
    browser = app.browser()
    response = await sign_in(browser, name, PASSWORD)
    assert response.status_code == 200
    assert response.json()["user"]["username"] == "mai"
    assert (await browser.get(f"{API}/me")).json() == response.json()


async def test_unknown_user_and_wrong_password_are_indistinguishable(app: AuthApp) -> None:
    """Both get the same response after the same work, one verification."""
    await app.register("mai")
    wrong = await sign_in(app.browser(), "mai", "wrong password")
    unknown = await sign_in(app.browser(), "nobody", "wrong password")
    assert code_of(wrong) == code_of(unknown) == (401, "invalid-credentials")
    assert wrong.json() == unknown.json()
    assert len(app.hasher.verified) == 2
    assert app.hasher.verified[1] is None


async def test_a_failed_sign_in_is_recorded(app: AuthApp) -> None:
    """``session.refused`` has the name and the address, but never the password."""
    user = await app.register("mai")
    await sign_in(app.browser(address="203.0.113.7"), "mai", "wrong password")
    await sign_in(app.browser(), "n" * 200, "wrong password")
    wrong, unknown = await app.events("session.refused")
    assert wrong.payload == {"username": "mai", "userId": user["id"], "reason": "wrong-password"}
    assert wrong.aggregate == f"user:{user['id']}"
    assert wrong.headers["address"] == "203.0.113.7"
    assert unknown.payload == {"username": "n" * 64, "userId": None, "reason": "unknown-user"}
    assert unknown.aggregate == "user:unknown"
    assert "wrong password" not in str([wrong, unknown])


async def test_a_sign_in_is_recorded_with_the_user_as_actor(app: AuthApp) -> None:
    """``session.opened`` has the session."""
    user = await app.register("mai")
    await app.signed_in("mai")
    (event,) = await app.events("session.opened")
    (session,) = await app.session_rows()
    assert event.payload == {"userId": user["id"], "sessionId": session.id}
    assert event.headers["actorId"] == user["id"]


async def test_only_the_right_password_reveals_a_suspension(app: AuthApp) -> None:
    """403 ``account-suspended`` for the right password, 401 for a wrong one; both are recorded."""
    await app.register("mai")
    await app.set("mai", status="SUSPENDED")
    assert code_of(await sign_in(app.browser(), "mai", "wrong password")) == (401, "invalid-credentials")
    assert code_of(await sign_in(app.browser(), "mai", PASSWORD)) == (403, "account-suspended")
    assert ["wrong-password", "suspended"] == [e.payload["reason"] for e in await app.events("session.refused")]
    assert await app.session_rows() == []


async def test_a_hash_with_outdated_parameters_is_renewed_at_sign_in(app: AuthApp) -> None:
    """The next sign-in verifies against the new hash."""
    await app.register("mai")
    app.hasher.parameters = 2
    await app.signed_in("mai")
    assert (await app.user("mai")).password_hash == f"v2:{PASSWORD}"
    await app.signed_in("mai")
    assert app.hasher.hashed == 2


async def test_a_password_changed_while_it_was_being_verified_no_longer_signs_in(app: AuthApp) -> None:
    """The session is opened only if the verified password is still the current one."""
    await app.register("mai")
    async with app.database.reading() as tx:
        user = await app.auth.find(tx, "mai")
    attempt = await app.auth.verify_password(user, Credentials(username="mai", password=PASSWORD))
    await app.set("mai", password_hash="v1:another password")
    async with app.database.transaction() as tx:
        outcome = await app.auth.sign_in(tx, attempt)
    assert "401 invalid-credentials" in str(outcome)
    assert await app.session_rows() == []


@pytest.mark.parametrize(
    "body",
    [{}, {"username": "mai"}, {"username": "mai", "password": 8}, {"username": "mai", "password": "p" * 257}, [], "x"],
)
async def test_an_invalid_body_is_rejected_before_hashing(app: AuthApp, body: object) -> None:
    """The response is 422, and nothing is verified."""
    response = await app.browser().post(f"{API}/login", json=body)
    assert response.status_code == 422
    assert app.hasher.verified == []


async def test_responses_contain_no_secret(app: AuthApp) -> None:
    """No body contains a hash or a token."""
    browser = await app.register_and_sign_in("mai")
    texts = [(await browser.get(f"{API}/{path}")).text for path in ("me", "sessions")]
    texts.append((await browser.post(f"{API}/refresh")).text)
    secrets = [PASSWORD, "v1:", *browser.cookies.values()]
    assert not [secret for secret in secrets for text in texts if secret in text]
