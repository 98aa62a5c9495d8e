"""Changing one's own account."""

import pytest

from tests.features.auth.auth_app import API, PASSWORD, AuthApp, code_of
from tests.features.auth.sessions.test_sign_in import sign_in

NEW = "a fresh password"


async def test_the_display_name_can_be_changed(app: AuthApp) -> None:
    """Everybody sees the new name, and no session is revoked."""
    browser = await app.register_and_sign_in("mai")
    other = await app.signed_in("mai")
    response = await browser.patch(f"{API}/me", json={"displayName": "Mai Trần"})
    assert response.json()["user"]["displayName"] == "Mai Trần"
    assert (await other.get(f"{API}/me")).json() == response.json()


async def test_an_empty_change_changes_nothing(app: AuthApp) -> None:
    """The response is 200 with the unchanged user."""
    browser = await app.register_and_sign_in("mai")
    before = (await browser.get(f"{API}/me")).json()
    assert (await browser.patch(f"{API}/me", json={})).json() == before


async def test_a_new_password_replaces_the_old_one_and_ends_all_other_sessions(app: AuthApp) -> None:
    """The current session continues; an event is recorded for each revoked one."""
    browser = await app.register_and_sign_in("mai")
    others = [await app.signed_in("mai") for _ in range(2)]
    response = await browser.patch(f"{API}/me", json={"password": NEW, "currentPassword": PASSWORD})
    assert response.status_code == 200
    assert (await browser.get(f"{API}/me")).status_code == 200
    for other in others:
        assert code_of(await other.get(f"{API}/me")) == (401, "not-authenticated")
        assert code_of(await other.post(f"{API}/refresh")) == (401, "not-authenticated")
    assert code_of(await sign_in(app.browser(), "mai", PASSWORD)) == (401, "invalid-credentials")
    assert (await sign_in(app.browser(), "mai", NEW)).status_code == 200
    assert len(await app.events("user.password_changed")) == 1
    assert ["password-changed"] * 2 == [e.payload["reason"] for e in await app.events("session.revoked")]


@pytest.mark.parametrize("current", [{}, {"currentPassword": "wrong"}, {"currentPassword": ""}])
async def test_a_new_password_needs_the_current_one(app: AuthApp, current: dict[str, str]) -> None:
    """The response is 422 ``wrong-password``, and the display name does not change either."""
    browser = await app.register_and_sign_in("mai")
    other = await app.signed_in("mai")
    body = {"password": NEW, "displayName": "Changed", **current}
    assert code_of(await browser.patch(f"{API}/me", json=body)) == (422, "wrong-password")
    assert (await app.user("mai")).display_name == "mai"
    assert (await other.get(f"{API}/me")).status_code == 200


@pytest.mark.parametrize("body", [{"password": "short"}, {"password": "p" * 257}, {"displayName": ""}, {"password": 1}])
async def test_invalid_fields_are_rejected(app: AuthApp, body: dict[str, object]) -> None:
    """The rules of registration apply."""
    browser = await app.register_and_sign_in("mai")
    assert (await browser.patch(f"{API}/me", json={"currentPassword": PASSWORD, **body})).status_code == 422


async def test_role_status_and_storage_cannot_be_changed(app: AuthApp) -> None:
    """Unknown fields are ignored."""
    browser = await app.register_and_sign_in("mai")
    body = {"role": "ADMIN", "status": "ACTIVE", "storageQuota": 10**15, "plan": "PRO"}
    user = (await browser.patch(f"{API}/me", json=body)).json()["user"]
    assert (user["role"], user["storageQuota"], user["plan"]) == ("USER", 1000, "FREE")


async def test_changing_an_account_requires_a_session(app: AuthApp) -> None:
    """The response is 401."""
    assert code_of(await app.browser().patch(f"{API}/me", json={})) == (401, "not-authenticated")
