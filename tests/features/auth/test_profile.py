"""Changing one's own account."""

import pytest

from tests.features.auth.house import API, PASSWORD, House, code_of
from tests.features.auth.test_signing_in import attempt

NEW = "a fresh password"


async def test_the_display_name_can_be_changed(app: House) -> None:
    """And is what everybody sees from then on; no other session ends."""
    browser = await app.newcomer("mai")
    other = await app.signed_in("mai")
    response = await browser.patch(f"{API}/me", json={"displayName": "Mai Trần"})
    assert response.json()["user"]["displayName"] == "Mai Trần"
    assert (await other.get(f"{API}/me")).json() == response.json()


async def test_an_empty_change_changes_nothing(app: House) -> None:
    """200 with the user as it is."""
    browser = await app.newcomer("mai")
    before = (await browser.get(f"{API}/me")).json()
    assert (await browser.patch(f"{API}/me", json={})).json() == before


async def test_a_new_password_replaces_the_old_one_and_ends_all_other_sessions(app: House) -> None:
    """This session goes on; the others end at once, each with its fact."""
    browser = await app.newcomer("mai")
    others = [await app.signed_in("mai") for _ in range(2)]
    response = await browser.patch(f"{API}/me", json={"password": NEW, "currentPassword": PASSWORD})
    assert response.status_code == 200
    assert (await browser.get(f"{API}/me")).status_code == 200
    for other in others:
        assert code_of(await other.get(f"{API}/me")) == (401, "not-authenticated")
        assert code_of(await other.post(f"{API}/refresh")) == (401, "not-authenticated")
    assert code_of(await attempt(app.browser(), "mai", PASSWORD)) == (401, "invalid-credentials")
    assert (await attempt(app.browser(), "mai", NEW)).status_code == 200
    assert len(await app.events("user.password_changed")) == 1
    assert ["password-changed"] * 2 == [e.payload["reason"] for e in await app.events("session.revoked")]


@pytest.mark.parametrize("current", [{}, {"currentPassword": "wrong"}, {"currentPassword": ""}])
async def test_a_new_password_needs_the_current_one(app: House, current: dict[str, str]) -> None:
    """422 ``wrong-password``, and nothing changes, the display name neither."""
    browser = await app.newcomer("mai")
    other = await app.signed_in("mai")
    body = {"password": NEW, "displayName": "Changed", **current}
    assert code_of(await browser.patch(f"{API}/me", json=body)) == (422, "wrong-password")
    assert (await app.user("mai")).display_name == "mai"
    assert (await other.get(f"{API}/me")).status_code == 200


@pytest.mark.parametrize("body", [{"password": "short"}, {"password": "p" * 257}, {"displayName": ""}, {"password": 1}])
async def test_what_does_not_fit_is_refused(app: House, body: dict[str, object]) -> None:
    """422 by the rules of registering."""
    browser = await app.newcomer("mai")
    assert (await browser.patch(f"{API}/me", json={"currentPassword": PASSWORD, **body})).status_code == 422


async def test_role_status_and_storage_are_not_ones_own_to_change(app: House) -> None:
    """Unknown fields are passed over."""
    browser = await app.newcomer("mai")
    body = {"role": "ADMIN", "status": "ACTIVE", "storageQuota": 10**15, "plan": "PRO"}
    user = (await browser.patch(f"{API}/me", json=body)).json()["user"]
    assert (user["role"], user["storageQuota"], user["plan"]) == ("USER", 1000, "FREE")


async def test_nobody_changes_an_account_without_signing_in(app: House) -> None:
    """401."""
    assert code_of(await app.browser().patch(f"{API}/me", json={})) == (401, "not-authenticated")
