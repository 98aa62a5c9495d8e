"""Signing in."""

import httpx
import pytest

from metastore.features.auth.schemas import Credentials
from tests.features.auth.house import API, PASSWORD, House, code_of


async def attempt(browser: httpx.AsyncClient, name: str, password: str) -> httpx.Response:
    """Try to sign in."""
    return await browser.post(f"{API}/login", json={"username": name, "password": password})


@pytest.mark.parametrize("name", ["mai", "MAI", "mai@example.org", "Mai@Example.Org"])
async def test_the_right_password_signs_in_by_name_or_address(house: House, name: str) -> None:
    """The answer is the user, and from then on requests are that user's."""
    await house.register("mai")
    browser = house.browser()
    response = await attempt(browser, name, PASSWORD)
    assert response.status_code == 200
    assert response.json()["user"]["username"] == "mai"
    assert (await browser.get(f"{API}/me")).json() == response.json()


async def test_unknown_user_and_wrong_password_cannot_be_told_apart(house: House) -> None:
    """The same answer but for its path, after the same work: one verification each."""
    await house.register("mai")
    wrong = await attempt(house.browser(), "mai", "wrong password")
    unknown = await attempt(house.browser(), "nobody", "wrong password")
    assert code_of(wrong) == code_of(unknown) == (401, "invalid-credentials")
    assert wrong.json() == unknown.json()
    assert len(house.hasher.verified) == 2
    assert house.hasher.verified[1] is None


async def test_a_failed_sign_in_is_recorded_though_it_is_refused(house: House) -> None:
    """``session.refused`` with the name that was tried, from where, and never the password."""
    user = await house.register("mai")
    await attempt(house.browser(address="203.0.113.7"), "mai", "wrong password")
    await attempt(house.browser(), "n" * 200, "wrong password")
    wrong, unknown = await house.events("session.refused")
    assert wrong.payload == {"username": "mai", "userId": user["id"], "reason": "wrong-password"}
    assert wrong.aggregate == f"user:{user['id']}"
    assert wrong.headers["address"] == "203.0.113.7"
    assert unknown.payload == {"username": "n" * 64, "userId": None, "reason": "unknown-user"}
    assert unknown.aggregate == "user:unknown"
    assert "wrong password" not in str([wrong, unknown])


async def test_a_sign_in_is_recorded_as_the_users_doing(house: House) -> None:
    """``session.opened`` with the session."""
    user = await house.register("mai")
    await house.signed_in("mai")
    (event,) = await house.events("session.opened")
    (session,) = await house.session_rows()
    assert event.payload == {"userId": user["id"], "sessionId": session.id}
    assert event.headers["actorId"] == user["id"]


async def test_a_suspended_user_learns_it_only_with_the_right_password(house: House) -> None:
    """403 ``account-suspended`` for the right password, the usual 401 for a wrong one; both are recorded."""
    await house.register("mai")
    await house.set("mai", status="SUSPENDED")
    assert code_of(await attempt(house.browser(), "mai", "wrong password")) == (401, "invalid-credentials")
    assert code_of(await attempt(house.browser(), "mai", PASSWORD)) == (403, "account-suspended")
    assert ["wrong-password", "suspended"] == [e.payload["reason"] for e in await house.events("session.refused")]
    assert await house.session_rows() == []


async def test_a_hash_with_outdated_parameters_is_renewed_at_sign_in(house: House) -> None:
    """The next sign-in verifies against the new hash."""
    await house.register("mai")
    house.hasher.parameters = 2
    await house.signed_in("mai")
    assert (await house.user("mai")).password_hash == f"v2:{PASSWORD}"
    await house.signed_in("mai")
    assert house.hasher.hashed == 2


async def test_a_password_changed_while_it_was_being_verified_no_longer_signs_in(house: House) -> None:
    """The session is opened only for the password that holds at that moment."""
    await house.register("mai")
    async with house.database.reading() as tx:
        user = await house.auth.find(tx, "mai")
    looked_at = await house.auth.try_password(user, Credentials(username="mai", password=PASSWORD))
    await house.set("mai", password_hash="v1:another password")
    async with house.database.transaction() as tx:
        outcome = await house.auth.sign_in(tx, looked_at)
    assert "401 invalid-credentials" in str(outcome)
    assert await house.session_rows() == []


@pytest.mark.parametrize(
    "body",
    [{}, {"username": "mai"}, {"username": "mai", "password": 8}, {"username": "mai", "password": "p" * 257}, [], "x"],
)
async def test_a_body_of_the_wrong_shape_is_refused_before_any_work(house: House, body: object) -> None:
    """422, no verification."""
    response = await house.browser().post(f"{API}/login", json=body)
    assert response.status_code == 422
    assert house.hasher.verified == []


async def test_answers_never_contain_a_secret(house: House) -> None:
    """Neither hash nor token is in any answer's body."""
    browser = await house.newcomer("mai")
    texts = [(await browser.get(f"{API}/{path}")).text for path in ("me", "sessions")]
    texts.append((await browser.post(f"{API}/refresh")).text)
    secrets = [PASSWORD, "v1:", *browser.cookies.values()]
    assert not [secret for secret in secrets for text in texts if secret in text]
