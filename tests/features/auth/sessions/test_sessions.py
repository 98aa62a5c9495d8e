"""The list of devices."""

from datetime import timedelta

from metastore.kit.api.paging import encode_cursor
from metastore.kit.ids import new_id
from tests.features.auth.auth_app import API, PASSWORD, AuthApp, code_of


async def test_the_list_shows_every_device_and_marks_the_current_one(app: AuthApp) -> None:
    """Latest first, with user agent and address."""
    await app.register("mai")
    phone = app.browser(address="203.0.113.9", user_agent="Phone/2")
    await phone.post(f"{API}/login", json={"username": "mai", "password": PASSWORD})
    browser = await app.signed_in("mai")
    page = (await browser.get(f"{API}/sessions")).json()
    assert page["nextCursor"] is None
    assert [(s["userAgent"], s["address"], s["current"]) for s in page["items"]] == [
        ("Browser/1.0", "192.0.2.1", True),
        ("Phone/2", "203.0.113.9", False),
    ]
    assert set(page["items"][0]) == {
        "id",
        "userAgent",
        "address",
        "createdAt",
        "refreshedAt",
        "expiresAt",
        "current",
    }
    assert page["items"][0]["createdAt"] == "2026-03-04T05:06:07.800Z"


async def test_the_list_is_paged_by_cursor(app: AuthApp) -> None:
    """No session is repeated or left out."""
    await app.register("mai")
    browsers = [await app.signed_in("mai") for _ in range(5)]
    seen: list[str] = []
    cursor = None
    while True:
        query = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await browsers[0].get(f"{API}/sessions", params=query)).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["nextCursor"]
        if cursor is None:
            break
    assert seen == [session.id for session in reversed(await app.session_rows())]


async def test_a_forged_cursor_is_rejected(app: AuthApp) -> None:
    """The response is 422 ``invalid-cursor``; limits out of range are rejected too."""
    browser = await app.register_and_sign_in("mai")
    for cursor in ("nonsense", encode_cursor(["\0"]), encode_cursor([7]), encode_cursor([None]), "W10", "_w"):
        assert code_of(await browser.get(f"{API}/sessions?cursor={cursor}")) == (422, "invalid-cursor")
    for limit in ("0", "201", "x"):
        assert (await browser.get(f"{API}/sessions?limit={limit}")).status_code == 422


async def test_ended_sessions_are_not_listed(app: AuthApp) -> None:
    """Neither revoked nor expired ones."""
    signed_out = await app.register_and_sign_in("mai")
    await signed_out.post(f"{API}/logout")
    await app.signed_in("mai")
    app.clock.forward(8 * 24 * 3600)
    browser = await app.signed_in("mai")
    items = (await browser.get(f"{API}/sessions")).json()["items"]
    assert [item["current"] for item in items] == [True]


async def test_a_device_can_be_signed_out_from_another(app: AuthApp) -> None:
    """The response is 204; it takes effect at once and is recorded."""
    lost = await app.register_and_sign_in("mai")
    browser = await app.signed_in("mai")
    lost_id = (await app.session_rows())[0].id
    assert (await browser.delete(f"{API}/sessions/{lost_id}")).status_code == 204
    assert code_of(await lost.get(f"{API}/me")) == (401, "not-authenticated")
    assert (await browser.get(f"{API}/me")).status_code == 200
    (event,) = await app.events("session.revoked")
    assert (event.payload["sessionId"], event.payload["reason"]) == (lost_id, "revoked")


async def test_signing_this_device_out_from_the_list_clears_its_cookies(app: AuthApp) -> None:
    """As signing out does."""
    browser = await app.register_and_sign_in("mai")
    (session,) = await app.session_rows()
    assert (await browser.delete(f"{API}/sessions/{session.id}")).status_code == 204
    assert dict(browser.cookies) == {}


async def test_another_users_session_is_not_found(app: AuthApp) -> None:
    """The response is the same 404 as for an unknown or ended session."""
    mai = await app.register_and_sign_in("mai")
    lan = await app.register_and_sign_in("lan")
    hers = (await app.session_rows())[0].id
    for session_id in (hers, new_id(), "x", "%00"):
        assert code_of(await lan.delete(f"{API}/sessions/{session_id}")) == (404, "not-found")
    assert (await mai.get(f"{API}/me")).status_code == 200


async def test_sessions_are_deleted_a_day_after_they_expired(app: AuthApp) -> None:
    """Other sessions stay."""
    await app.register_and_sign_in("mai")
    app.clock.now += timedelta(days=7, hours=23)
    async with app.database.transaction() as tx:
        await app.auth.delete_expired_sessions(tx)
    assert len(await app.session_rows()) == 1
    app.clock.now += timedelta(hours=2)
    await app.signed_in("mai")
    async with app.database.transaction() as tx:
        await app.auth.delete_expired_sessions(tx)
    assert len(await app.session_rows()) == 1
